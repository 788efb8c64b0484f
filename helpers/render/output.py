"""The folder of reports: kept by one render at a time, files put in place, what is remembered."""

import json
import os
import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path

from helpers.problems import NotWritten, Refused, of_system
from helpers.provenance import MANIFEST
from helpers.render.jobs import OVERVIEW

BESIDE = ".new-"  # folders for what is not in place yet; those of a killed process go later
# What is remembered of a report, and of which type it is; of one that never succeeded, less.
SHAPE = {"key": str, "files": dict, "used": list, "rows": str | None, "outputs": dict}


@contextmanager
def kept(out, *, review):
    """Keep a folder for the reports of one review and for one process.

    It is made; where nothing was written into it, it goes again.

    Parameters
    ----------
    out : Path
    review : str
        Id of the review.

    Raises
    ------
    Refused
        Where it cannot be made, another process renders into it, or it holds reports of another
        review.
    """
    made = [folder for folder in (out, *out.parents) if not os.path.lexists(folder)]
    with _writing(Refused):
        out.mkdir(parents=True, exist_ok=True)
    try:
        with _locked(out):
            others = {one["review"] for one in remembered(out).values() if "review" in one}
            if others - {review}:
                raise Refused(
                    f"{out} holds reports of another review, {', '.join(sorted(others))}. Name a "
                    "folder of its own with --out, or move those reports away."
                )
            _clear(out)
            try:
                yield
            finally:
                _clear(out)
    finally:
        for folder in made:
            with suppress(OSError):  # it holds something
                folder.rmdir()


def _clear(out):
    """Take away what a process left, which ended before it could."""
    for left in out.glob(f"{BESIDE}*"):
        shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _locked(out):
    """Hold a folder by the system's own lock, which ends with the process, however that ends."""
    handle = None
    try:
        if os.name == "nt":
            flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_TEMPORARY
            handle = os.open(out / ".lock", flags)
        else:
            import fcntl

            handle = os.open(out, os.O_RDONLY)
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, FileExistsError):
        os.close(handle) if handle is not None else None
        raise Refused(
            f"{out}: another render writes here. Wait until it has ended, or name another folder "
            "with --out."
        ) from None
    except OSError:
        pass  # a network drive may know no locks
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)


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
    try:
        found = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    entries = found.items() if isinstance(found, dict) else ()
    return {family: entry for family, entry in entries if _is_entry(entry)}


def _is_entry(entry):
    if not isinstance(entry, dict):
        return False
    if not SHAPE.keys() & entry.keys():
        return isinstance(entry.get("failure"), str)
    texts = ["review", "failure", "note"]
    return (
        all(name in entry and isinstance(entry[name], kind) for name, kind in SHAPE.items())
        and all(isinstance(entry.get(name, ""), str) for name in texts)
        and isinstance(entry.get("settings", {}), dict)
        and all(isinstance(name, str) for name in entry["used"])
        and all(isinstance(digest, str) for digest in entry["outputs"].values())
    )


def remember(out, entries):
    """Write what `remembered` reads."""
    put(out, {MANIFEST: json.dumps(entries, indent=1, sort_keys=True).encode()})


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


def index_page(out, description, entries):
    """Page that leads to all reports of a review: rendered now or before, or failed, or not."""
    from helpers.page import blocks, index
    from helpers.words.numbers import listing

    labels = {family.id: family.label for family in description.families.values()}
    if OVERVIEW in entries:
        labels = {OVERVIEW: "Overview", **labels}
    rows = [_row(out, family, label, entries.get(family)) for family, label in labels.items()]
    banner = blocks.banner(description.evidence).html
    who = ", ".join(
        filter(
            None, [*[listing(description.authors)] * bool(description.authors), description.date]
        )
    )
    lead = "\n\n".join(filter(None, [description.question, who, description.citation]))
    return index.index(rows, title=description.title, lead=lead, banner=banner)


def _row(out, family, label, entry):
    """One report as `helpers.page.index.index` takes it."""
    row = {"family": family, "label": label, "status": "not rendered", "message": None}
    if entry is None:
        return row
    page, data, outcomes, level = out / f"{family}.html", out / f"{family}.json", [], 0.95
    note, text = entry.get("note"), ""
    try:
        text = page.read_text(encoding="utf-8") if page.is_file() else ""
        results = json.loads(data.read_bytes()) if data.is_file() else {}
        level = (results.get("parameters") or {}).get("level", level)
        found = (results.get("outcomes") or {}).items()
        outcomes = [_outcome(name, outcome, text) for name, outcome in found]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        note = f"{data.name} is not as it was rendered ({type(error).__name__}); render it anew."
    return row | {
        "status": "FAILED" if "failure" in entry else "ok",
        "message": entry.get("failure"),
        "note": note,
        "href": page.name if text else None,
        "level": level,
        "outcomes": outcomes,
    }


def _outcome(name, outcome, text):
    from helpers.analysis.measures import restored
    from helpers.page.document import slug

    chosen, unit = outcome["chosen"], outcome.get("unit")
    printed = outcome.get("article") or {}
    anchors = slug(outcome["label"]), f"outcome-{name}"
    fields = ("k", "estimate", "ci_low", "ci_high")
    return {
        "id": name,
        **{field: outcome.get(field) for field in ("label", "better", "published")},
        **{field: chosen.get(field) for field in fields},
        "measure": restored(chosen.get("measure"), chosen.get("scale"), unit),
        "printed_measure": restored(printed.get("measure"), printed.get("scale"), unit),
        "anchor": next((anchor for anchor in anchors if f'id="{anchor}"' in text), None),
    }
