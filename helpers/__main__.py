"""Command line: ``python -m helpers render``, ``check``, ``audit``, ``new``, ``diff``, ``compare``."""

import argparse
import os
import signal
import sys


def main(argv=None):
    """Run one command; returns its exit status (0 done, 1 something failed, 2 cannot be done)."""
    options = vars(_parser().parse_args(argv))
    command, run = options.pop("command"), options.pop("run")
    from helpers.problems import ReviewError
    from helpers.render.parameters import Refused

    try:
        status = run(**options)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # Whoever read has gone, as `head` does; what is flushed at the end is to go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (Refused, ReviewError) as error:
        print(f"python -m helpers {command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; reports that were finished are kept", file=sys.stderr)
        return 130


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m helpers",
        description="From an extraction sheet of animal experiments to reports in HTML.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name, run, **texts):
        """Add a command; returns what adds arguments, which `run` gets by their names."""
        added = commands.add_parser(name, **texts)
        added.set_defaults(run=run)
        return added.add_argument

    add = command(
        "render",
        _render,
        help="render the reports that are due",
        description="Render the reports of a review. What has not changed is not rendered again.",
        epilog="Exit status: 0 all rendered; 1 a report failed, the others are rendered; 2 a fault "
        "in input or usage, nothing was rendered.",
    )
    add("families", nargs="*", metavar="FAMILY", help="families of the review, or overview; all")
    add("--review", metavar="DIR", help="folder with review.toml")
    add("--out", metavar="DIR", help="folder of the reports (reports)")
    add("--notebooks", metavar="DIR", help="folder of the notebooks (notebooks)")
    add(
        "-p",
        dest="settings",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set a parameter of the notebooks, for example -p method=DL or "
        "-p 'outcomes=[gfap, neun]'; again for each",
    )
    add("--jobs", type=_positive, metavar="N", help="notebooks at a time (one for each core)")
    add("--force", action="store_true", help="render also what has not changed")
    add("--quiet", action="store_true", help="say nothing but faults")

    add = command(
        "check",
        _check,
        help="say all faults of a review at once",
        description="Read a review and say all its faults and warnings at once, and the SHA-256 of "
        "each family's rows, as the reports name it.",
        epilog="Exit status: 0 no fault (there may be warnings); 2 faults.",
    )
    add("review", nargs="?", metavar="DIR", help="folder with review.toml")

    add = command(
        "audit",
        _audit,
        help="hold an article's printed numbers against each other",
        description="Recompute what an article prints from what else it prints.",
    )
    add("--review", metavar="DIR", help="folder with review.toml")
    add("--csv", metavar="FILE", help="write the findings as CSV")

    add = command(
        "new",
        _new,
        help="make a review of your own from a sheet",
        description="Make a review folder from an extraction sheet. The sheet is copied, never edited.",
    )
    add("folder", metavar="DIR", help="folder to make")
    add("--from", dest="source", required=True, metavar="SHEET", help="CSV, TSV, XLSX or JSON")
    add("--sheet", metavar="NAME", help="sheet of a workbook (the likeliest)")

    add = command(
        "diff",
        _diff,
        help="say what changed between two states of a review",
        description="Rows added, changed and excluded; pooled results before and after; conclusions "
        "that flipped.",
    )
    add("old", metavar="OLD", help="folder of the earlier state")
    add("new", metavar="NEW", help="folder of the later state")

    add = command(
        "compare",
        _compare,
        help="hold two extractors' sheets against each other",
        description="Agreement by column and the cells that differ. Exit status: 0 no cell differs; "
        "1 some do.",
    )
    add("a", metavar="A", help="sheet of one extractor")
    add("b", metavar="B", help="sheet of the other")
    add("--key", metavar="COLUMN", help="column that names a row in both")
    add("--tolerance", type=float, default=0, metavar="SHARE", help="numbers this near agree (0)")
    add("--out", metavar="FILE", help="write the reconciled sheet as CSV")
    return parser


def _positive(text):
    value = int(text) if text.isdigit() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text}: a whole number of at least 1 is due")
    return value


def _render(**options):
    from helpers.render.run import render

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # unwinds, and so ends the kernels
    return render(**options)


def _check(review):
    from helpers.review.check import check

    findings = check(review)
    print(findings)
    if findings.faults:
        print(findings.as_read)
        return 2
    from helpers.review.review import load

    review = load(review)
    for family in review.families.values():
        part = review.part(family.outcomes)
        print(f"{family.id}: {len(part.experiments):,} rows, SHA-256 {part.digest()}")
    print(findings.as_read)
    return 0


def _audit(review, csv):
    from helpers.article import audit
    from helpers.review.description import find_folder

    return audit.main(find_folder(review), csv)


def _new(folder, source, sheet):
    from helpers.new import folder as guess
    from helpers.review import check

    todo = guess.new(folder, source, sheet)
    print(f"{folder}/review.toml says how the sheet is read. Look at:")
    print("\n".join(f"  {line}" for line in todo))
    found = check.check(folder)
    if found.as_read:
        print(found.as_read)
    print(f"{len(found.faults)} faults and {len(found.warnings)} warnings so far; see them by")
    print(f"  python -m helpers check {folder}")
    print(f"then make the reports by\n  python -m helpers render --review {folder}")
    return 0


def _diff(old, new):
    from helpers.analysis import changes

    print(changes.report(*changes.compare_states(old, new)))
    return 0


def _compare(out, **options):
    from helpers.sheet.agreement import compare_sheets

    agreement, differing, reconciled = compare_sheets(**options)
    if not agreement["cells"].any():
        key = differing.columns[0]
        print(f"no {key} stands in both sheets; another column can be named with --key\n")
    for table in (agreement, differing):
        print(table.to_string(index=False, na_rep=""), end="\n\n")
    if out:
        reconciled.to_csv(out, index=False)
    return 1 if len(differing) else 0


if __name__ == "__main__":
    sys.exit(main())
