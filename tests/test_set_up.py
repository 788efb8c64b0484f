"""The set-up: which installer it takes, how it is repaired, what it leaves alone; the licences."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from importlib import metadata

import pytest

from helpers.review.description import PROJECT

# Programs that stand in for uv: they write down how they were called.
WORKS = '#!/bin/sh\necho "uv $*" >> "$CALLS"\necho " + some package"\necho "Installed 1 package"\n'
FAILS = '#!/bin/sh\n[ "$1" = --version ] && exit 0\necho "error: no such index"\nexit 2\n'
# A Python whose venv is real and whose pip writes down how it was called.
PIP = """
import os, sys
with open(os.environ["CALLS"], "a") as calls:
    calls.write("pip " + " ".join(sys.argv[1:]) + "\\n")
if "uv.lock" in " ".join(sys.argv) and os.environ.get("NO_UV"):
    sys.exit("ERROR: no matching distribution")
if "config" in sys.argv:
    print("global.index-url='https://index.invalid/simple'")
if "--target" in sys.argv:
    folder = os.path.join(sys.argv[sys.argv.index("--target") + 1], "bin")
    os.makedirs(folder)
    with open(os.path.join(folder, "uv"), "w") as file:
        file.write('#!/bin/sh\\necho "uv $* $UV_DEFAULT_INDEX" >> "$CALLS"\\n')
    os.chmod(file.name, 0o755)
for number in range(40):
    print("Collecting package", number)
"""

pytestmark = pytest.mark.skipif(os.name == "nt", reason="stand-ins are shell scripts")


def module(name):
    """A file of `.ci/locks/` as a module."""
    spec = importlib.util.spec_from_file_location(name, PROJECT / ".ci" / "locks" / f"{name}.py")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


class Clone:
    """A copy of what the set-up reads, with stand-ins for uv and pip."""

    def __init__(self, folder):
        self.folder, self.calls = folder, folder / "calls"
        shutil.copytree(PROJECT / ".ci" / "locks", folder / ".ci" / "locks")
        for name in ("Makefile", "pyproject.toml", "requirements.lock"):
            shutil.copy(PROJECT / name, folder)
        self.path = folder / "path"
        self.path.mkdir()
        for name in ("sh", "touch"):
            (self.path / name).symlink_to(shutil.which(name))
        pip = folder / "pip" / "pip"
        pip.mkdir(parents=True)
        (pip / "__main__.py").write_text(PIP)
        (pip / "__init__.py").write_text("")

    def uv(self, text):
        """Put a stand-in for uv on the path."""
        (self.path / "uv").write_text(text)
        (self.path / "uv").chmod(0o755)

    def run(self, *extras, command=None, **environment):
        """Set up; what it said, and its calls of installers."""
        self.calls.unlink(missing_ok=True)
        done = subprocess.run(
            command or [sys.executable, ".ci/locks/install.py", *extras],
            cwd=self.folder,
            capture_output=True,
            text=True,
            env={
                "PATH": str(self.path),
                "CALLS": str(self.calls),
                "PYTHONPATH": str(self.folder / "pip"),
                **environment,
            },
            check=False,
        )
        calls = self.calls.read_text().splitlines() if self.calls.exists() else []
        return done, [line for line in calls if " install " in line]

    def marks(self):
        """Marks in the environment."""
        return {path.name for path in (self.folder / ".venv").glob(".[ru]*")}


@pytest.fixture
def clone(tmp_path):
    return Clone(tmp_path)


def test_uv_of_the_path_is_taken_and_named(clone):
    clone.uv(WORKS)
    done, calls = clone.run()
    assert done.returncode == 0, done.stderr
    assert "by uv (found on the path)" in done.stdout
    assert "Installed 1 package" in done.stdout
    assert "some package" not in done.stdout
    assert [call.split()[0] for call in calls] == ["uv", "uv"]
    assert "--require-hashes" in calls[0] and calls[0].endswith("requirements.lock")
    assert calls[1].endswith(f"--no-deps --no-build-isolation --editable {clone.folder}")
    assert clone.marks() == {".ready"}


def test_uv_is_fetched_with_its_hash_and_asks_the_index_of_pip(clone):
    done, calls = clone.run()
    assert done.returncode == 0, done.stderr
    assert "by uv (fetched by pip)" in done.stdout
    assert "--require-hashes" in calls[0] and calls[0].endswith("uv.lock")
    assert [call.split()[0] for call in calls] == ["pip", "uv", "uv"]
    assert calls[1].endswith("https://index.invalid/simple")
    done, calls = clone.run("test")  # what was fetched is kept
    assert [call.split()[0] for call in calls] == ["uv"]
    assert "test.lock" in calls[0]
    assert clone.marks() == {".ready", ".ready-test"}


@pytest.mark.parametrize("fault", ["cannot be fetched", "fails"])
def test_pip_installs_where_uv_cannot(clone, fault):
    if fault == "fails":
        clone.uv(FAILS)
    done, calls = clone.run(NO_UV="1")
    assert done.returncode == 0, done.stderr
    said = {
        "fails": "uv did not succeed, so pip tries",
        "cannot be fetched": "requirements.lock by pip",
    }
    assert said[fault] in done.stdout
    assert "  20 packages\n  40 packages\n" in done.stdout
    last = calls[-2:]
    assert all(call.startswith("pip ") for call in last)
    assert "--require-hashes" in last[0] and last[0].endswith("requirements.lock")
    assert "--editable" in last[1]


def test_what_fails_is_not_marked_and_what_was_interrupted_is_made_anew(clone):
    clone.uv(FAILS)
    (clone.folder / "pip/pip/__main__.py").write_text("import sys; sys.exit('ERROR: no network')")
    done, _ = clone.run()
    assert done.returncode == 1
    assert "did not succeed" in done.stderr
    assert clone.marks() == {".unfinished"}
    half = clone.folder / ".venv" / "half"
    half.touch()
    clone.uv(WORKS)
    done, calls = clone.run("test")  # first what reports need, then the extra
    assert "made anew" in done.stdout
    assert not half.exists()
    assert [re.search(r"\S*\.lock|--editable", call)[0].rpartition("/")[2] for call in calls] == [
        "requirements.lock",
        "--editable",
        "test.lock",
    ]
    assert clone.marks() == {".ready", ".ready-test"}


def test_what_is_complete_is_kept_unless_its_python_is_gone(clone):
    clone.uv(WORKS)
    clone.run()
    own = clone.folder / ".venv" / "own"
    own.touch()
    clone.run()
    assert own.exists()
    python = clone.folder / ".venv" / "bin" / "python"
    python.unlink()
    python.write_text("#!/nowhere\n")
    python.chmod(0o755)
    done, _ = clone.run()
    assert "made anew" in done.stdout
    assert not own.exists()


def test_a_lock_that_is_not_there_is_named(clone):
    done, calls = clone.run("wrod")
    assert done.returncode == 1 and not calls
    assert ".ci/locks/wrod.lock" in done.stderr
    assert not (clone.folder / ".venv").exists()


@pytest.mark.skipif(not shutil.which("make"), reason="make is not here")
def test_make_sets_up_once_and_again_after_a_change(clone):
    clone.uv(WORKS)

    def calls(target, **times):
        for name, seconds in times.items():
            os.utime(clone.folder / name.replace("_", "."), (seconds, seconds))
        make = [shutil.which("make"), f"PYTHON={sys.executable}", target]
        done, found = clone.run(command=make)
        assert done.returncode == 0, done.stderr
        return [re.search(r"\w+\.lock|--editable", call)[0] for call in found]

    ready, tests = ".venv/.ready", ".venv/.ready-test"
    base = ["requirements.lock", "--editable"]
    assert calls(ready) == base
    assert calls(ready) == []
    assert calls(tests) == ["test.lock"]
    assert calls(tests) == []
    later = (clone.folder / ready).stat().st_mtime + 5
    assert calls(tests, requirements_lock=later) == [*base, "test.lock"]


def test_settings_of_pip_that_uv_needs(monkeypatch):
    install = module("install")
    for name in install.SHARED.values():
        monkeypatch.delenv(name, raising=False)
    text = (
        ":env:.cert='/own/ca.pem'\nglobal.index-url='https://index.invalid/simple'\n"
        "global.timeout='5'\ninstall.trusted-host='index.invalid'\n"
    )
    assert install.shared_settings(text) == {
        "SSL_CERT_FILE": "/own/ca.pem",
        "UV_DEFAULT_INDEX": "https://index.invalid/simple",
        "UV_INSECURE_HOST": "index.invalid",
    }
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://own.invalid")
    assert "UV_DEFAULT_INDEX" not in install.shared_settings(text)


# Licences under which a package may be used beside the project's own, MIT.
KNOWN = {
    *("0BSD", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT"),
    *("MIT-0", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Zlib"),
}


def test_every_locked_package_stands_with_its_version_and_a_known_licence():
    licences = module("licences")
    text = (PROJECT / "docs" / "dependencies.md").read_text("utf-8")
    rows = re.findall(r"^\| \**([\w-]+)\** \| (.*?) \| (.*?) \| (.*?) \|$", text, re.MULTILINE)
    listed = {name: set(versions.split(", ")) for name, versions, _, _ in rows if name != "package"}
    locked = {}
    for path in licences.LOCKS:
        for name, versions in licences.pins(path).items():
            locked.setdefault(name, set()).update(versions)
    assert listed == locked
    for name, _, said, use in rows[1:]:
        pandoc = {"GPL-2.0-or-later"} if (name, use) == ("pypandoc-binary", "word") else set()
        assert set(re.split(r" AND | OR |, ", said)) <= KNOWN | pandoc, name
    stated = {(name, v): said for name, versions, said, _ in rows for v in versions.split(", ")}
    here = {
        (licences.canonical(each.metadata["Name"]), each.version): licences.licence(each.metadata)
        for each in metadata.distributions()
    }
    common = stated.keys() & here.keys()
    assert ("numpy", metadata.version("numpy")) in common
    assert {key: stated[key] for key in common} == {key: here[key] for key in common}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("License-Expression: MIT OR Apache-2.0", "MIT OR Apache-2.0"),
        (
            "License: MPL-2.0 AND MIT\nClassifier: License :: OSI Approved :: MIT License",
            "MPL-2.0 AND MIT",
        ),
        (
            "License: BSD 3-Clause\nClassifier: License :: OSI Approved :: BSD License",
            "BSD-3-Clause",
        ),
        ("Classifier: License :: OSI Approved :: BSD License", "BSD"),
        ("License: Copyright\nClassifier: License :: OSI Approved :: MIT License", "MIT"),
        ("License: Ours alone", "Ours alone"),
        ("Name: silent", ""),
    ],
)
def test_what_a_package_says_of_its_licence(fields, said):
    from email import message_from_string

    assert module("licences").licence(message_from_string(fields + "\n\n")) == said
