"""Set up .venv from the locks: by uv where it is there or can be fetched, by pip otherwise.

    python .ci/locks/install.py         what reports need: requirements.lock, and the project itself
    python .ci/locks/install.py test    what .ci/locks/test.lock adds to it

Standard library only, for this runs before anything else is there. Nothing is compiled to
bytecode ahead: all packages would take a minute, the modules that reports import a second.
"""

import os
import re
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
VENV = PROJECT / ".venv"
WINDOWS = os.name == "nt"
PYTHON = VENV / ("Scripts/python.exe" if WINDOWS else "bin/python")
UNFINISHED = VENV / ".unfinished"
OLDEST = (3, 11)

# Settings of pip by which uv finds the same index; uv does not read pip's files.
SHARED = {
    "index-url": "UV_DEFAULT_INDEX",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
    "trusted-host": "UV_INSECURE_HOST",
}


def say(text):
    """Print at once, also into a pipe."""
    print(text, flush=True)


def run(command, **options):
    """Whether a command can be started and succeeds."""
    try:
        return subprocess.run([str(part) for part in command], **options).returncode == 0
    except OSError:  # not there, or not a program of this machine
        return False


def pip(python):
    """Pip of a Python, as the start of a command."""
    return [python, "-m", "pip", "--disable-pip-version-check"]


def ensure_pip():
    """Give .venv a pip where it has none."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return run([*pip(PYTHON), "--version"], **quiet) or run(
        [PYTHON, "-m", "ensurepip", "--default-pip"], stdout=subprocess.DEVNULL
    )


def shared_settings(text):
    """Environment for uv from what `pip config list` prints, where nothing else is set."""
    found = re.findall(r"^(?::env:|\w+)\.([\w-]+)='(.*)'$", text, re.MULTILINE)
    return {
        SHARED[key]: value
        for key, value in found
        if key in SHARED and SHARED[key] not in os.environ
    }


def find_uv():
    """Command and environment of uv, and where it is from; None where it cannot be had.

    It is fetched, pinned and hashed, into .venv by the pip of the Python that runs this, or by a
    pip of .venv where that Python has none.
    """
    own = VENV / "uv"
    found = shutil.which("uv")
    if found and run([found, "--version"], stdout=subprocess.DEVNULL):
        return found, os.environ, "found on the path"
    for python in (sys.executable, PYTHON):
        if python == PYTHON and not ensure_pip():
            continue
        config = subprocess.run(
            [*map(str, pip(python)), "config", "list"], capture_output=True, text=True, check=False
        )
        if config.returncode:
            continue
        found = shutil.which("uv", path=str(own / "bin"))
        if not found:
            say("Fetching uv, which installs faster than pip.")
            lock = PROJECT / ".ci" / "locks" / "uv.lock"
            fetch = ["install", "--quiet", "--no-compile", "--no-deps", "--only-binary", ":all:"]
            fetch += ["--target", own, "--require-hashes", "-r", lock]
            unwarned = {**os.environ, "PIP_ROOT_USER_ACTION": "ignore"}
            if not run([*pip(python), *fetch], env=unwarned):
                shutil.rmtree(own, ignore_errors=True)
                continue
            found = shutil.which("uv", path=str(own / "bin"))
        if found and run([found, "--version"], stdout=subprocess.DEVNULL):
            return found, {**os.environ, **shared_settings(config.stdout)}, "fetched by pip"
    return None


def follow(command, tell, environment=None):
    """Whether a command succeeds; `tell` gives of each of its lines what is shown, or None."""
    process = subprocess.Popen(
        [str(part) for part in command],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    with process:
        for line in process.stdout:
            text = tell(line.rstrip())
            if text:
                say(f"  {text}")
    return process.returncode == 0


def by_uv(found, arguments):
    """Install by uv; of its lines all but the list of packages are shown."""
    command, environment, _ = found
    call = [command, "pip", "install", "--python", PYTHON, *arguments]
    return follow(
        call, lambda line: None if line[:3] in {" + ", " - ", " ~ "} else line, environment
    )


def by_pip(arguments):
    """Install by pip; what it does is counted, what goes wrong is shown."""
    count = 0

    def tell(line):
        nonlocal count
        if line.startswith(("Collecting", "Requirement already satisfied")):
            count += 1
            return f"{count} packages" if count % 20 == 0 else None
        if line.startswith("Installing collected"):
            return "all are here and being installed"
        return line if re.match(r"\s*(ERROR|error)\b", line) else None

    return follow(
        [*pip(PYTHON), "install", "--no-compile", "--progress-bar", "off", *arguments], tell
    )


def prepare():
    """Make .venv, or make it anew where its Python does not run or a set-up was interrupted."""
    anew = UNFINISHED.exists() or (PYTHON.exists() and not run([PYTHON, "-c", ""]))
    if anew:
        say(f"{VENV.name} is not complete, or not of this machine: it is made anew.")
    venv.create(VENV, clear=anew, symlinks=not WINDOWS, with_pip=False)
    UNFINISHED.touch()


def install(lock, *more):
    """Install a lock, and whatever else has no hash; SystemExit where it cannot be done."""
    wanted = [["--require-hashes", "-r", lock], *more]
    found = find_uv()
    if found:
        say(f"Installing {lock.relative_to(PROJECT)} by uv ({found[2]}).")
        if all(by_uv(found, each) for each in wanted):
            return
        say("uv did not succeed, so pip tries; this takes a minute.")
    else:
        say(f"Installing {lock.relative_to(PROJECT)} by pip; by uv it would be faster.")
    if not (ensure_pip() and all(by_pip(each) for each in wanted)):
        sys.exit("The set-up did not succeed; what stands above says why. Call it again then.")


def main(extras):
    """Install what reports need, and the extras named."""
    if sys.version_info < OLDEST:
        sys.exit("Python 3.11 or newer is needed; say where it is: make reports PYTHON=python3.12")
    locks = {extra: PROJECT / ".ci" / "locks" / f"{extra}.lock" for extra in extras}
    for extra, lock in locks.items():
        if not lock.is_file():
            sys.exit(f"There is no {lock.relative_to(PROJECT)} for {extra!r}.")
    start = time.monotonic()
    prepare()
    ready = VENV / ".ready"
    if not extras or not ready.exists():
        project = ["--no-deps", "--no-build-isolation", "--editable", PROJECT]
        install(PROJECT / "requirements.lock", project)
        ready.touch()
    for extra, lock in locks.items():
        install(lock)
        (VENV / f".ready-{extra}").touch()
    UNFINISHED.unlink()
    say(f"{VENV.name} is set up, after {time.monotonic() - start:.0f} s.")


if __name__ == "__main__":
    main(sys.argv[1:])
