"""The house: a package imports only what lies below it, and nothing goes round in a circle."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1] / "helpers"

# What a package may import, besides what that may import itself.
BELOW = {
    "problems": (),
    "provenance": ("problems",),
    "writing": (),
    "repository": ("problems",),
    "stats": (),
    "sheet": ("problems", "writing"),
    "drawing": (),
    "review": ("sheet", "stats", "provenance", "repository"),
    "new": ("review",),
    "article": ("review",),
    "analysis": ("article",),
    "words": ("analysis",),
    "figures": ("words", "drawing"),
    "page": ("words", "drawing"),
    "report": ("figures", "page"),
    "render": ("report",),
    "word": ("render",),
    "history": ("render",),
    "__main__": ("render", "new", "word", "history"),
    "__init__": ("report",),
}
# The legal words of parameters are known in one place, and a review's own settings are read by it.
# A block of a page becomes Word by what writes documents of pages.
ALLOWED = {("review", "analysis.settings"), ("page", "word.fragment")}
MODULES = sorted(path for path in ROOT.rglob("*.py"))


def name_of(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def imported(path):
    """Modules of the project that a module imports, wherever in it, as dotted names."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            raise AssertionError(f"{name_of(path)}: imports are written out from `helpers` on")
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "helpers":
            whole = node.module.removeprefix("helpers").lstrip(".")
            for alias in node.names:
                inner = f"{whole}.{alias.name}".lstrip(".")
                is_module = (ROOT / Path(*inner.split("."))).with_suffix(".py").is_file()
                yield inner if is_module else whole or "__init__"
        elif isinstance(node, ast.Import):
            yield from (
                alias.name.removeprefix("helpers.")
                for alias in node.names
                if alias.name.startswith("helpers.")
            )


def reach(package):
    """All packages that one may import."""
    return {package}.union(*(reach(below) for below in BELOW[package]))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_nothing_is_imported_from_above(path):
    package = name_of(path).split(".")[0]
    for module in imported(path):
        other = module.split(".")[0]
        assert other in reach(package) or (package, module) in ALLOWED, (
            f"{name_of(path)} imports {module}, which lies above it or beside it"
        )


def test_no_import_goes_round_in_a_circle():
    graph = {name_of(path): set(imported(path)) for path in MODULES}
    done = set()

    def walk(module, way):
        assert module not in way, f"a circle: {' → '.join([*way[way.index(module) :], module])}"
        if module not in done:
            for other in sorted(graph.get(module, ())):
                walk(other, [*way, module])
            done.add(module)

    for module in graph:
        walk(module, [])


def test_packages_hold_nothing_but_their_name():
    for path in ROOT.glob("*/__init__.py"):
        body = ast.parse(path.read_text(encoding="utf-8")).body
        handed_on = body[1:] if path.parent.name == "report" else ()
        assert len(body) == 1 + len(handed_on) and ast.get_docstring(ast.parse(path.read_text()))


def test_no_folder_is_crowded():
    for folder in {path.parent for path in MODULES}:
        assert len(list(folder.glob("*.py"))) <= 15, folder.name


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_says_in_its_first_line_what_it_gives(path):
    first = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n")[0]
    assert len(first) > 10 and first.endswith((".", ":")), name_of(path)


def test_private_parts_of_libraries_stay_in_two_rooms():
    """An underscore behind another object than `self` or `cls` is somebody else's.

    A workbook's cells that exist are openpyxl's secret: its public iterator visits all up to the
    last, millions where a blank stands far out.
    """
    for path in MODULES:
        if name_of(path).split(".")[0] in ("drawing", "render") or path.stem == "workbook":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
                own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
                inner = isinstance(node.value, ast.Attribute) and node.attr in (
                    "_asdict",
                    "_replace",
                )
                named = node.attr in ("_replace", "_asdict") or node.attr.startswith("__")
                assert own or inner or named, f"{name_of(path)}, line {node.lineno}: {node.attr}"
