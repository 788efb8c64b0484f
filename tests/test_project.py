"""The project as a whole: one list of dependencies, clean notebooks, no machine in the files."""

import re
import subprocess
import tomllib
from itertools import chain

import nbformat
import pytest
import yaml

from helpers.render.parameters import declared
from helpers.review.description import PROJECT

NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))
CONFIG = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = CONFIG["optional-dependencies"]
WORD = EXTRAS["word"]  # only for who wants Word documents: 40 MB, some of it not on conda-forge
REQUIRED = [*CONFIG["dependencies"], *chain(*(EXTRAS[name] for name in EXTRAS if name != "word"))]


def names(requirements):
    """Package names as both package indexes spell them."""
    found = (re.match(r"[\w.-]+", line)[0] for line in requirements)
    return {re.sub(r"[._]", "-", name.lower()) for name in found}


def tracked():
    """Files under version control; all files where there is no git."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    if listed.returncode or not listed.stdout:
        pytest.skip("this is not a git checkout")
    paths = [PROJECT / name for name in listed.stdout.rstrip("\0").split("\0")]
    return [path for path in paths if path.is_file()]


def test_conda_environment_is_in_step():
    environment = yaml.safe_load((PROJECT / "environment.yml").read_text(encoding="utf-8"))
    lines = [line for line in environment["dependencies"] if isinstance(line, str)]
    assert names(lines) - {"python", "pip"} == names(REQUIRED)
    assert f"python{CONFIG['requires-python']}" in lines
    bounded = {line for line in REQUIRED if re.search(r"[<>=]", line)}
    assert bounded <= set(lines)


def pinned(lock):
    """Versions in a lock by package, which is pinned once for each kind of system and Python."""
    text = (PROJECT / lock).read_text(encoding="utf-8")
    assert not re.search(r"https?:|file:|--(extra-)?index-url|--find-links", text)
    found = {}
    for entry in re.split(r"\n(?=[a-zA-Z])", text):
        if match := re.match(r"([\w.-]+)==(\S+)", entry):
            assert "--hash=sha256:" in entry
            found.setdefault(names([match[1]]).pop(), set()).add(match[2])
    return found


def test_lock_is_complete_and_names_no_index():
    found = pinned("requirements.lock")
    assert names(REQUIRED) <= set(found)
    # one lock for every system: what only Windows and only macOS need is in it
    assert {"colorama", "pywinpty", "appnope", "ptyprocess"} <= set(found)


def test_what_word_needs_has_a_lock_of_its_own_that_agrees_with_the_other():
    common, word = pinned("requirements.lock"), pinned("requirements-word.lock")
    assert names(WORD) <= set(word)
    assert "pypandoc-binary" not in common and "resvg-py" not in common
    both = common.keys() & word.keys()
    assert "beautifulsoup4" in both
    assert {name: word[name] <= common[name] for name in both} == dict.fromkeys(both, True)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_clean(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)
    assert set(notebook.metadata) <= {"kernelspec", "language_info"}
    assert notebook.metadata.kernelspec.name == "python3"
    assert "parameters" in code[0].metadata.get("tags", ())
    assert "review" in declared(notebook.cells, path)


def test_nothing_names_a_machine():
    home = re.compile(rb"/(?:home|Users|root)/\w+|/tmp/\w+/|[A-Z]:\\\\Users")
    own = str(PROJECT).encode()
    for path in tracked():
        content = path.read_bytes()
        assert not home.search(content), path
        assert len(own) < 8 or own not in content, path


def test_package_holds_its_templates():
    patterns = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["setuptools"]
    held = {
        path
        for pattern in patterns["package-data"]["*"]
        for package in (PROJECT / "helpers").glob("*/")
        for path in package.glob(pattern)
    }
    code = {path for path in (PROJECT / "helpers").rglob("*.py")}
    files = {path for path in (PROJECT / "helpers").rglob("*") if path.is_file()} - code
    assert {path for path in files if "__pycache__" not in path.parts} <= held


def test_the_code_of_the_readme_runs():
    blocks = re.findall(
        r"```python\n(.*?)```", (PROJECT / "README.md").read_text("utf-8"), re.DOTALL
    )
    assert blocks
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})
