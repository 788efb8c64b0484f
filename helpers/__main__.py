"""Command line: ``python -m helpers`` with render, check, new, set and what else its help lists."""

import signal
import sys
from contextlib import contextmanager

import click

EPILOG = "Exit status: 0 done; 1 something failed or differs; 2 a fault in input or usage."


@click.group(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
def cli():
    """From an extraction sheet of animal experiments to reports in HTML."""


@cli.command(
    epilog="Exit status: 1 a report failed or a review was refused, the others are rendered; "
    "2 nothing was done."
)
@click.argument("names", nargs=-1, metavar="[FAMILY|REVIEW]...")
@click.option("--review", metavar="DIR", help="Folder with review.toml.")
@click.option(
    "--out",
    metavar="DIR",
    help="Folder of the reports (reports, or reports/ID of another review); "
    "of several reviews, each gets DIR/ID.",
)
@click.option("--notebooks", metavar="DIR", help="Folder of the notebooks (notebooks).")
@click.option(
    "-p",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="Set a parameter of the notebooks, for example -p method=DL or "
    "-p 'outcomes=[gfap, neun]'; again for each.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Notebooks at a time (one for each core).",
)
@click.option(
    "--cell-seconds",
    "seconds",
    type=click.FloatRange(min=0, min_open=True),
    metavar="N",
    help="Seconds that a cell may take (900).",
)
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Have reports made by the workers of a Dask scheduler, such as tcp://127.0.0.1:8786.",
)
@click.option("--force", is_flag=True, help="Render also what has not changed.")
@click.option("--quiet", is_flag=True, help="Say nothing but faults.")
def render(**options):
    """Render the reports that are due: of some families or all, of one review or several.

    A REVIEW is a folder with review.toml, such as those of reviews/*.
    """
    from helpers.render.run import render

    with _ending():
        return render(**options)


@contextmanager
def _ending():
    """Let the first signal to end unwind, and so end the workers and clear up; others wait."""
    names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    numbers = [getattr(signal, name) for name in names]

    def end(number, _):
        for one in numbers:
            signal.signal(one, signal.SIG_IGN)
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(128 + number)

    # What is ignored already stays so: nohup, a job in the background.
    before = {one: signal.getsignal(one) for one in numbers}
    for one in numbers:
        if before[one] is not signal.SIG_IGN:
            signal.signal(one, end)
    yield  # after an interrupt they stay as they are: Python still has threads to end
    for one, handler in before.items():
        signal.signal(one, handler)


@cli.command(epilog="Exit status: 2 nothing was written.")
@click.argument("families", nargs=-1, metavar="[FAMILY]...")
@click.option("--review", metavar="DIR", help="Folder with review.toml.")
@click.option("--out", metavar="DIR", help="Folder of the rendered reports; as for render.")
@click.option(
    "--supplement", is_flag=True, help="Methods, results and tables only, for a manuscript."
)
def word(families, **options):
    """Write rendered reports as Word documents, for co-authors who comment there.

    A document stands beside its page and has its settings, figures and numbers.
    """
    from helpers.word.write import write

    for path, letters in write(families, **options).items():
        click.echo(f"{path} ({path.stat().st_size / 1e3:,.0f} kB)")
        if letters:
            click.echo(f"  look at its figures: fonts of this machine, if any, draw {letters}")
    return 0


@cli.command()
@click.argument("review", required=False, metavar="[DIR]")
def check(review):
    """Say all faults and warnings of a review at once.

    And the SHA-256 of each family's rows, as the reports name it.
    """
    from helpers.review.check import check

    findings = check(review)
    click.echo(findings)
    if findings.faults:
        click.echo(findings.as_read)
        return 2
    from helpers.review.review import load

    review = load(review)
    for family in review.families.values():
        part = review.part(family.outcomes)
        click.echo(f"{family.id}: {len(part.experiments):,} rows, SHA-256 {part.digest()}")
    click.echo(findings.as_read)
    return 0


@cli.command()
@click.option("--review", metavar="DIR", help="Folder with review.toml.")
@click.option("--csv", metavar="FILE", help="Write the findings as CSV.")
def audit(review, csv):
    """Hold an article's printed numbers against each other."""
    from helpers.article import audit
    from helpers.review.description import find_folder

    return audit.main(find_folder(review), csv)


@cli.command()
@click.argument("folder", metavar="DIR")
@click.option("--from", "source", required=True, metavar="SHEET", help="CSV, TSV, XLSX or JSON.")
@click.option("--sheet", metavar="NAME", help="Sheet of a workbook (the likeliest).")
@click.option("--yes", is_flag=True, help="Ask nothing: all guesses stay to be confirmed.")
def new(folder, source, sheet, yes):
    """Make a review folder DIR from an extraction sheet.

    The sheet is copied, never edited. At a terminal, what can be read in two ways is asked.
    """
    from helpers.new.asking import Stopped, ask
    from helpers.new.folder import new
    from helpers.problems import command_line
    from helpers.review import check

    at_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    try:
        todo = new(folder, source, sheet, ask if at_terminal and not yes else None)
    except Stopped:
        click.echo("\nstopped; nothing was written", err=True)
        return 130
    click.echo(f"{folder}/review.toml says how the sheet is read." + " Look at:" * bool(todo))
    for line in todo:
        click.echo(f"  {line}")
    found = check.check(folder)
    if found.as_read:
        click.echo(found.as_read)
    faults, warnings = (
        f"{len(some)} {word}{'s' * (len(some) != 1)}"
        for some, word in ((found.faults, "fault"), (found.warnings, "warning"))
    )
    click.echo(f"{faults} and {warnings} so far; see them, and how to confirm what was guessed, by")
    click.echo(f"  {command_line('check', folder)}\nthen make the reports by")
    click.echo(f"  {command_line('render', '--review', folder)}")
    return 0


@cli.command(
    "set", epilog="Exit status: 1 it is written, and the review has faults; 2 nothing was written."
)
@click.argument("review", metavar="DIR")
@click.argument("settings", nargs=-1, metavar="[KEY[=VALUE]]...")
@click.option(
    "--confirm", multiple=True, metavar="KEY", help="Confirm what stands there; as KEY alone does."
)
@click.option("--remove", multiple=True, metavar="KEY", help="Take a setting out.")
def set_(review, settings, confirm, remove):
    """Change or confirm settings in the review.toml of DIR.

    KEY is called as `check` calls it, such as sheet.columns.study; KEY=VALUE sets it, KEY alone
    confirms what stands there. Everything else in the file stays as it is, comments too.
    """
    from helpers.problems import grouped
    from helpers.review.check import check
    from helpers.review.editing import edit

    if not settings and not confirm and not remove:
        raise click.UsageError("Name a KEY to confirm, or KEY=VALUE to set.")
    for change in edit(review, settings, confirm, remove):
        click.echo(change)
    findings = check(review)
    click.echo("\n".join(f"fault: {line}" for line in grouped(findings.faults)) or "no fault")
    return 1 if findings.faults else 0


@cli.command(epilog="Exit status: 2 nothing was computed.")
@click.argument("outcome")
@click.option("--review", metavar="DIR", help="Folder with review.toml.")
@click.option(
    "--most", type=click.IntRange(min=1), default=10_000, metavar="N",
    help="Specifications of independent rows (10000).",
)  # fmt: skip
@click.option(
    "--fits", type=click.IntRange(min=0), metavar="N",
    help="Multilevel models to fit (one for 20 of those).",
)  # fmt: skip
@click.option(
    "--jobs", type=click.IntRange(min=1), metavar="N", help="Processes at a time (one a core)."
)
@click.option(
    "--scheduler", metavar="ADDRESS",
    help="Have them computed by the workers of a Dask scheduler; as for render.",
)  # fmt: skip
@click.option("--out", metavar="FILE", help="Write the specifications as CSV.")
def specifications(out, **options):
    """Compute the specification curve of OUTCOME: its result by many combinations of choices."""
    from helpers.render.curve import computed
    from helpers.writing import write_csv

    with _ending():
        table, said = computed(**options)
    if out:
        write_csv(table, out)
    click.echo(said)
    return 0


@cli.command()
@click.argument("old")
@click.argument("new")
def diff(old, new):
    """Say what changed between two states of a review.

    Rows added, changed and excluded; pooled results before and after; conclusions that flipped.
    """
    from helpers.analysis.changes import compare_states
    from helpers.review.review import load
    from helpers.words.changes import report

    old, new = (load(folder, earlier=True) for folder in (old, new))
    click.echo(report(compare_states(old, new), new))
    return 0


@cli.command(epilog="Exit status: 2 nothing was written.")
@click.argument("folders", nargs=-1, metavar="[DIR] [--states DIR ...]")
@click.option("--states", multiple=True, metavar="DIR ...", help="Folders with its other states.")
@click.option(
    "--tags", metavar="PATTERN", help="Tags of the repository to take, such as 'v*' (all)."
)
@click.option("--out", metavar="DIR", help="Folder of the reports; as for render.")
def history(folders, states, **options):
    """Replay the dated states of a living review: what came in and went, what it concluded.

    States are folders, dated by their names or their review.toml, or the tags of the git repository
    that holds the review. Writes history.html beside the reports.
    """
    from helpers.history.page import write
    from helpers.history.words import sentence

    review, *more = folders or [None]  # what stands behind --states DIR is a state too
    if more and not states:
        raise click.UsageError("Name the folders with other states behind --states.")
    page, found = write(review, states=[*states, *more], **options)
    click.echo(sentence(found))
    for one in found.states[found.states["fault"] != ""].to_dict("records"):
        click.echo(f"not read: {one['state']}: {one['fault']}")
    click.echo(f"Open {page}")
    return 0


@cli.command(epilog="Exit status: 0 no cell differs; 1 some do.")
@click.argument("a")
@click.argument("b")
@click.option("--key", metavar="COLUMN", help="Column that names a row in both.")
@click.option(
    "--tolerance", type=float, default=0, metavar="SHARE", help="Numbers this near agree (0)."
)
@click.option("--out", metavar="FILE", help="Write the reconciled sheet as CSV.")
def compare(out, **options):
    """Hold the sheets A and B of two extractors against each other.

    Agreement by column and the cells that differ.
    """
    from helpers.sheet.agreement import compare_sheets
    from helpers.writing import write_csv

    agreement, differing, reconciled = compare_sheets(**options)
    if not agreement["cells"].any():
        key = differing.columns[0]
        click.echo(f"no {key} stands in both sheets; another column can be named with --key\n")
    for table in (agreement, differing):
        click.echo(table.to_string(index=False, na_rep="") + "\n")
    if out:
        write_csv(reconciled, out)
    return 1 if len(differing) else 0


def main(argv=None):
    """Run one command; returns its exit status (0 done, 1 something failed, 2 cannot be done)."""
    from helpers.problems import NotWritten, ProjectError, Refused, of_system, printable

    for stream in (sys.stdout, sys.stderr):  # an odd letter in a sheet is no reason to fail
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        return cli.main(argv, "python -m helpers", standalone_mode=False) or 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except ProjectError as error:
        click.echo(f"python -m helpers: {printable(str(error))}", err=True)
        return 2 if isinstance(error, Refused) and not isinstance(error, NotWritten) else 1
    except OSError as error:
        click.echo(f"python -m helpers: {of_system(error)}", err=True)
        return 2
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted; reports that were finished are kept", err=True)
        return 130


if __name__ == "__main__":
    sys.exit(main())
