"""Print docs/dependencies.md: each locked package, its versions, its licence, what it is for.

    python .ci/locks/licences.py FOLDER ...    folders into which the locked packages were installed

`make dependencies` calls it with folders for several systems and Pythons.
"""

import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
LOCKS = [PROJECT / "requirements.lock", *sorted((PROJECT / ".ci" / "locks").glob("*.lock"))]
HEAD = """# Dependencies

What the locks hold, for all systems and all Pythons from 3.11 on; made by `make dependencies`, and
held to the locks by `tests/test_set_up.py`. A package in bold is asked for by
`pyproject.toml`, all others come with one of these. The licence is what the package says of itself.
Of all only the extra `word` brings a program under the GPL, Pandoc, which runs as a process of its own.

| package | version | licence | for |
|---|---|---|---|
"""
# As long texts or outdated words say it: the SPDX name.
SPDX = {
    r"Apache.*2\.0|Apache Software License|Apache-2\.0": "Apache-2.0",
    r"MIT License|^MIT\b": "MIT",
    r"3-Clause BSD|BSD[- ]3|New BSD|Modified BSD": "BSD-3-Clause",
    r"2-Clause BSD|BSD[- ]2|Simplified BSD": "BSD-2-Clause",
    r"MPL[- ]2\.0|Mozilla Public License 2\.0": "MPL-2.0",
    r"Python Software Foundation|PSF": "PSF-2.0",
    r"ISC": "ISC",
    r"BSD": "BSD",
}
# What the metadata leave unsaid: their licence stands in a file; they bring a program of others.
READ = {"resvg-py": "MIT", "pypandoc-binary": "MIT AND GPL-2.0-or-later"}


def canonical(name):
    """A package's name as indexes spell it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(path):
    """Versions of each package of a lock."""
    found = {}
    for name, version in re.findall(
        r"^([\w.-]+)==([\w.!+]+)", path.read_text("utf-8"), re.MULTILINE
    ):
        found.setdefault(canonical(name), []).append(version)
    return found


def asked_for():
    """Names that pyproject.toml itself asks for."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    return {canonical(re.match(r"[\w.-]+", line)[0]) for lines in lists for line in lines}


def known(text):
    """SPDX name in a text; empty where there is none."""
    matching = (name for pattern, name in SPDX.items() if re.search(pattern, text, re.IGNORECASE))
    return next(matching, "")


def licence(described):
    """SPDX name of a licence as a package's metadata say it; empty where they say none."""
    if (name := canonical(described.get("Name") or "")) in READ:
        return READ[name]
    if expression := described.get("License-Expression"):
        return expression
    classified = [
        text.rpartition(" :: ")[2]
        for text in described.get_all("Classifier", [])
        if text.startswith("License :: ") and not text.endswith("OSI Approved")
    ]
    field = (described.get("License") or "").strip().partition("\n")[0]
    if re.fullmatch(r"[\w.-]+( (AND|OR) [\w.-]+)+", field):
        return field
    # "BSD License" says less than what stands in the field; a whole text says less than its class
    vague = classified in ([], ["BSD License"])
    said = [known(text) for text in classified] if not vague else []
    return ", ".join(dict.fromkeys(said)) or known(field) or known(" ".join(classified)) or field


def table(described):
    """Lines of the table, from metadata by name and version."""
    wanted = {}
    for path in LOCKS:
        use = "reports" if path.stem == "requirements" else path.stem
        for name, versions in pins(path).items():
            wanted.setdefault(name, ({}, []))
            wanted[name][0].update(dict.fromkeys(versions))
            wanted[name][1].append(use)
    direct = asked_for()
    for name, (versions, uses) in sorted(wanted.items()):
        said = dict.fromkeys(licence(described[name, version]) for version in versions)
        shown = f"**{name}**" if name in direct else name
        yield f"| {shown} | {', '.join(versions)} | {', '.join(said)} | {', '.join(uses)} |"


def main(folders):
    """Print the document; KeyError where a locked version is in none of the folders."""
    described = {
        (canonical(each.metadata["Name"]), each.version): each.metadata
        for each in metadata.distributions(path=folders)
    }
    print(HEAD + "\n".join(table(described)))


if __name__ == "__main__":
    main(sys.argv[1:])
