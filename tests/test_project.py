"""The project as a whole: one list of dependencies, clean notebooks, no machine in the files."""

import re
import subprocess
import tomllib
from itertools import chain

import nbformat
import pandas as pd
import pytest
import yaml

from helpers.render.parameters import declared
from helpers.review.description import PROJECT

NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))
CONFIG = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = CONFIG["optional-dependencies"]
REQUIRED = [*CONFIG["dependencies"], *chain(*EXTRAS.values())]
LOCKS = [PROJECT / "requirements.lock", *sorted((PROJECT / ".ci" / "locks").glob("*.lock"))]


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


def locked(path):
    """The text of a lock, and versions with their markers by package."""
    text = path.read_text(encoding="utf-8")
    found = {}
    for name, pin in re.findall(r"^([\w.-]+)==([^\\\n]+)", text, re.MULTILINE):
        found.setdefault(*names([name]), set()).add(pin.strip())
    return text, found


def test_conda_environment_is_in_step():
    environment = yaml.safe_load((PROJECT / "environment.yml").read_text(encoding="utf-8"))
    lines = [line for line in environment["dependencies"] if isinstance(line, str)]
    # conda sets up by itself; Word documents need 40 MB, some of it not on conda-forge
    wanted = set(REQUIRED) - set(EXTRAS["uv"]) - set(EXTRAS["word"])
    assert set(lines) - {"pip"} == wanted | {f"python{CONFIG['requires-python']}"}


def test_every_requirement_says_its_oldest_version():
    assert all(re.fullmatch(r"[\w-]+>=[\d.]+", line) for line in REQUIRED)


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.stem)
def test_locks_have_hashes_and_name_no_index(path):
    text, pinned = locked(path)
    assert len(pinned) == len(set(re.findall(r"^[\w.-]+(?===)", text, re.MULTILINE)))
    entries = re.split(r"\n(?=[a-zA-Z])", text)
    assert all("--hash=sha256:" in entry for entry in entries if re.match(r"[\w.-]+==", entry))
    assert not re.search(r"https?:|file:|--(extra-)?index-url|--find-links", text)


def test_lock_of_reports_is_complete_and_has_no_extra():
    pinned = locked(PROJECT / "requirements.lock")[1].keys()
    assert names([*CONFIG["dependencies"], *EXTRAS["build"]]) <= pinned
    others = names(chain(*(EXTRAS[extra] for extra in EXTRAS if extra != "build")))
    assert others & pinned == {"beautifulsoup4"}  # nbconvert has it too
    # one lock for every system: what only Windows and only macOS need is in it
    assert {"colorama", "pywinpty", "appnope", "ptyprocess"} <= pinned


def test_each_extra_has_a_lock_of_its_own_at_the_same_versions():
    assert {path.stem for path in LOCKS[1:]} == EXTRAS.keys() - {"build"}
    reports = locked(LOCKS[0])[1]
    for path in LOCKS[1:]:
        pinned = locked(path)[1]
        assert names(EXTRAS[path.stem]) <= pinned.keys()
        for name in pinned.keys() & reports.keys():
            versions = {pin.partition(" ")[0] for pin in pinned[name]}
            assert versions <= {pin.partition(" ")[0] for pin in reports[name]}, name


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
        for package in (PROJECT / "helpers").rglob("__init__.py")
        for path in package.parent.glob(pattern)
    }
    code = {path for path in (PROJECT / "helpers").rglob("*.py")}
    files = {path for path in (PROJECT / "helpers").rglob("*") if path.is_file()} - code
    assert {path for path in files if "__pycache__" not in path.parts} <= held


def test_the_code_of_the_readme_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # what it writes
    blocks = re.findall(
        r"```python\n(.*?)```", (PROJECT / "README.md").read_text("utf-8"), re.DOTALL
    )
    assert blocks
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})


def test_what_the_article_shows_is_found_under_a_heading_that_is_there():
    index = pd.read_csv(PROJECT / "data" / "sci_exosomes" / "article_index.csv")
    for report, section in index[["report", "section"]].itertuples(index=False):
        if report != "each family":
            cells = nbformat.read(PROJECT / "notebooks" / f"{report}.ipynb", as_version=4).cells
            said = "\n".join(cell.source for cell in cells)
            headings = re.findall(r"^#+ (.+)$|section\(\s*\"(.+?)\"", said, re.MULTILINE)
            assert section in {one for both in headings for one in both}, f"{report}: {section}"
