"""Names of columns are known in one place."""

import ast
from pathlib import Path

import pytest

from helpers.review import columns

ROOT = Path(columns.__file__).resolve().parents[1]
# The engine stands below the review and names its own input.
OTHERS = [p for p in sorted(ROOT.rglob("*.py")) if "stats" not in p.parts]
GIVEN = {
    frozenset(value): name
    for name, value in vars(columns).items()
    if name.isupper() and isinstance(value, tuple) and value != columns.OWN_EFFECT
}


def spelled(tree):
    """All tuples, lists and sets of texts in a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Tuple | ast.List | ast.Set) and len(node.elts) > 1:
            texts = [part.value for part in node.elts if isinstance(part, ast.Constant)]
            if len(texts) == len(node.elts) and all(isinstance(text, str) for text in texts):
                yield node.lineno, frozenset(texts)


def test_the_names_are_those_of_a_checked_sheet():
    assert (
        tuple(f"{name}_{arm}" for arm in ("treated", "control") for name in ("n", "mean", "sd"))
        == columns.GROUPS
    )
    assert columns.CONTROL == ("n_control", "mean_control", "sd_control")
    assert len(set(columns.COLUMNS)) == len(columns.COLUMNS) == 19
    assert len(GIVEN) == 16


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: f"{path.parent.name}.{path.stem}")
def test_no_module_spells_them_again(path):
    if path.name == "columns.py":
        return
    for line, texts in spelled(ast.parse(path.read_text(encoding="utf-8"))):
        assert texts not in GIVEN, f"line {line}: this is columns.{GIVEN[texts]}"


def test_what_reads_files_knows_no_column_of_ours():
    ours = {*columns.COLUMNS, *columns.MEASURED} - {"n", "mean", "low", "high", "tip", "sd"}
    for path in (ROOT / "sheet").glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        texts = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)}
        assert not ours & {text for text in texts if isinstance(text, str)}, path.name
