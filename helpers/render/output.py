"""The folder of reports: kept by one render at a time, files put in place, what is remembered."""

import json
import os
import shutil
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from helpers.problems import NotWritten, Refused, of_system
from helpers.provenance import MANIFEST, sha256

BESIDE = ".new-"  # folders for what is not in place yet; those of a killed process go later
ABOUT = "/review"  # what is remembered of the review as a whole; no page of a family has a slash
# What is remembered of a report, and of which type it is; of one that never succeeded, less.
SHAPE = {"key": str, "files": dict, "used": list, "rows": str | None, "outputs": dict}


def identity(description, out):
    """What is remembered of the review whose reports a folder holds: its id, and where it lies.

    The second is a digest of the way from one folder to the other, which tells nobody's folders.
    """
    try:
        way = Path(os.path.relpath(description.folder, out)).as_posix()
    except ValueError:  # on another drive
        way = description.folder.as_posix()
    return {"review": description.id, "place": sha256(os.fsencode(way))}


def refuse_others(out, description):
    """Refuse a folder that holds reports of another review, or of one of this id elsewhere.

    Raises
    ------
    Refused
    """
    own, found = identity(description, out), remembered(out).values()
    ids = {one["review"] for one in found if "review" in one} - {own["review"]}
    if ids:
        raise Refused(
            f"{out} holds reports of another review, {', '.join(sorted(ids))}. Name a "
            "folder of its own with --out, or move those reports away."
        )
    if {one["place"] for one in found if "place" in one} - {own["place"]}:
        raise Refused(
            f"{out} holds reports of another folder with the same id, {own['review']}. Give one of "
            "them an id of its own in its review.toml, or name a folder with --out. Where the "
            f"review was moved, delete {MANIFEST} there."
        )


@contextmanager
def kept(out, *, patience=0):
    """Keep a folder for one process.

    It is made; where nothing was written into it, it goes again.

    Parameters
    ----------
    out : Path
    patience : float, optional
        Seconds to wait for another process.

    Raises
    ------
    Refused
        Where it cannot be made, or another process renders into it.
    """
    made = [folder for folder in (out, *out.parents) if not os.path.lexists(folder)]
    with _writing(Refused):
        out.mkdir(parents=True, exist_ok=True)
    try:
        with _locked(out, time.monotonic() + patience):
            _clear(out)
            try:
                yield
            finally:
                _clear(out)
    finally:
        for folder in made:
            with suppress(OSError):  # it holds something
                folder.rmdir()


def allow_open(folders):
    """Let this process have as many files open as it takes to keep so many folders at once."""
    with suppress(ImportError, OSError, ValueError):  # Windows; a system that does not let it
        import resource

        now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = folders + 512
        if resource.RLIM_INFINITY != now < wanted:
            least = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(now, least), most))


def _clear(out):
    """Take away what a process left, which ended before it could."""
    for left in out.glob(f"{BESIDE}*"):
        shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _locked(out, until):
    """Hold a folder by the system's own lock, which ends with the process, however that ends."""
    handle = None
    while handle is None:
        try:
            handle = _lock(out)
        except (BlockingIOError, FileExistsError):
            if time.monotonic() > until:
                raise Refused(
                    f"{out}: another render writes here. Wait until it has ended, or name another "
                    "folder with --out."
                ) from None
            time.sleep(0.05)
        except OSError:  # a network drive may know no locks
            break
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)


def _lock(out):
    if os.name == "nt":
        return os.open(out / ".lock", os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_TEMPORARY)
    import fcntl

    handle = os.open(out, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise
    return handle


def refuse_unwritable(out, families):
    """Refuse, before anything is rendered, a folder in which the reports cannot be put in place.

    Parameters
    ----------
    out : Path
    families : iterable of str

    Raises
    ------
    Refused
    """
    with _writing(Refused), tempfile.TemporaryDirectory(dir=out, prefix=BESIDE) as probe:
        Path(probe, "file").write_bytes(b"-")
    files = [f"{name}.{kind}" for name in families for kind in ("html", "json")]
    for name in ("index.html", MANIFEST, *files):
        if os.path.isdir(out / name):
            raise Refused(f"{out / name}: a folder stands where a file is due. Move it away.")
    if os.path.lexists(out / "tables") and not os.path.isdir(out / "tables"):
        raise Refused(f"{out / 'tables'}: a file stands where a folder is due. Move it away.")


@contextmanager
def _writing(kind=NotWritten):
    """What the system refuses, as a message with the way out."""
    try:
        yield
    except OSError as error:
        raise kind(of_system(error)) from error


def remembered(out):
    """Read what was rendered into a folder, and from what: `helpers.render.jobs.entry` by family.

    What has another shape, as another version may have written it, is left away: such a report is
    due.
    """
    return {family: entry for family, entry in _remembered(out).items() if _is_entry(entry)}


def about(out):
    """What `remember` was told of the review as a whole; empty where nobody knows."""
    found = _remembered(out).get(ABOUT)
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        return {}
    return found


def _remembered(out):
    try:
        found = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_entry(entry):
    if not isinstance(entry, dict):
        return False
    if not SHAPE.keys() & entry.keys():
        return isinstance(entry.get("failure"), str)
    texts = ["review", "place", "failure", "note"]
    return (
        all(name in entry and isinstance(entry[name], kind) for name, kind in SHAPE.items())
        and all(isinstance(entry.get(name, ""), str) for name in texts)
        and isinstance(entry.get("settings", {}), dict)
        and all(isinstance(name, str) for name in entry["used"])
        and all(isinstance(digest, str) for digest in entry["outputs"].values())
    )


def remember(out, entries, review):
    """Write what `remembered` and `about` read."""
    both = entries | ({ABOUT: review} if review else {})
    put(out, {MANIFEST: json.dumps(both, indent=1, sort_keys=True).encode()})


def put(out, contents, *, instead=None):
    """Put files in place of their predecessors, all of them or none.

    Everything is written beside its place first, so that a full disk or a killed process leaves
    the old report; then it is renamed.

    Parameters
    ----------
    out : Path
    contents : dict of str to bytes
        By path inside the folder.
    instead : str, optional
        A folder inside `out` that afterwards holds nothing but what is in `contents`.

    Raises
    ------
    NotWritten
    """
    with _writing():
        out.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(dir=out, prefix=BESIDE))
        try:
            _put(out, contents, instead, beside / "fresh", beside / "stale")
        finally:
            shutil.rmtree(beside, ignore_errors=True)


def _put(out, contents, instead, fresh, stale):
    for name, content in contents.items():
        (fresh / name).parent.mkdir(parents=True, exist_ok=True)
        (fresh / name).write_bytes(content)
        if (out / name).is_file():
            (stale / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(out / name, stale / name)
    away, placed = stale.parent / "away", []
    try:
        if instead and (out / instead).exists():
            os.replace(out / instead, away)
        for name in contents:
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            placed.append(name)
            os.replace(fresh / name, out / name)
    except BaseException:  # also an interrupt: the old files come back
        for name in placed:
            with suppress(OSError):
                if (stale / name).is_file():
                    os.replace(stale / name, out / name)
                elif (out / name).is_file() and not (fresh / name).exists():
                    os.unlink(out / name)
        if away.exists():
            shutil.rmtree(out / instead, ignore_errors=True)
            os.replace(away, out / instead)
        raise
