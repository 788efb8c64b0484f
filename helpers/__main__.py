"""Command line: ``python -m helpers render``, ``check``, ``audit``."""

import argparse
import signal
import sys


def main(argv=None):
    """Run one command; returns its exit status (0 done, 1 something failed, 2 cannot be done)."""
    options = _parser().parse_args(argv)
    from helpers.description import ReviewError
    from helpers.parameters import Refused

    try:
        return options.run(options)
    except (Refused, ReviewError) as error:
        print(f"python -m helpers {options.command}: {error}", file=sys.stderr)
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
    _render_command(commands)
    _check_command(commands)
    _audit_command(commands)
    _new_command(commands)
    _diff_command(commands)
    _compare_command(commands)
    return parser


def _render_command(commands):
    command = commands.add_parser(
        "render",
        help="render the reports that are due",
        description="Render the reports of a review. What has not changed is not rendered again.",
        epilog="Exit status: 0 all rendered; 1 a report failed, the others are rendered; 2 a fault "
        "in input or usage, nothing was rendered.",
    )
    command.add_argument(
        "families", nargs="*", metavar="FAMILY", help="families of the review, or overview; all"
    )
    command.add_argument("--review", metavar="DIR", help="folder with review.toml")
    command.add_argument("--out", metavar="DIR", help="folder of the reports (reports)")
    command.add_argument("--notebooks", metavar="DIR", help="folder of the notebooks (notebooks)")
    command.add_argument(
        "-p",
        dest="settings",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set a parameter of the notebooks, for example -p method=DL or "
        "-p 'outcomes=[gfap, neun]'; again for each",
    )
    command.add_argument(
        "--jobs", type=_positive, metavar="N", help="notebooks at a time (one for each core)"
    )
    command.add_argument("--force", action="store_true", help="render also what has not changed")
    command.add_argument("--quiet", action="store_true", help="say nothing but faults")
    command.set_defaults(run=_render)


def _positive(text):
    value = int(text) if text.isdigit() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text}: a whole number of at least 1 is due")
    return value


def _render(options):
    from helpers.render import render

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # unwinds, and so ends the kernels
    return render(
        options.families,
        review=options.review,
        out=options.out,
        settings=options.settings,
        jobs=options.jobs,
        notebooks=options.notebooks,
        force=options.force,
        quiet=options.quiet,
    )


def _check_command(commands):
    command = commands.add_parser(
        "check",
        help="say all faults of a review at once",
        description="Read a review and say all its faults and warnings at once, and the SHA-256 of "
        "each family's rows, as the reports name it.",
        epilog="Exit status: 0 no fault (there may be warnings); 2 faults.",
    )
    command.add_argument("review", nargs="?", metavar="DIR", help="folder with review.toml")
    command.set_defaults(run=_check)


def _check(options):
    from helpers.check import check

    findings = check(options.review)
    print(findings)
    if findings.faults:
        return 2
    from helpers.review import load

    review = load(options.review)
    for family in review.families.values():
        part = review.part(family.outcomes)
        print(f"{family.id}: {len(part.experiments):,} rows, SHA-256 {part.digest()}")
    return 0


def _audit_command(commands):
    command = commands.add_parser(
        "audit",
        help="hold an article's printed numbers against each other",
        description="Recompute what an article prints from what else it prints.",
    )
    command.add_argument("--review", metavar="DIR", help="folder with review.toml")
    command.add_argument("--csv", metavar="FILE", help="write the findings as CSV")
    command.set_defaults(run=_audit)


def _audit(options):
    from helpers import audit
    from helpers.description import find_folder

    return audit.main(find_folder(options.review), options.csv)


def _new_command(commands):
    command = commands.add_parser(
        "new",
        help="make a review of your own from a sheet",
        description="Make a review folder from an extraction sheet. The sheet is copied, never edited.",
    )
    command.add_argument("folder", metavar="DIR", help="folder to make")
    command.add_argument(
        "--from", dest="source", required=True, metavar="SHEET", help="CSV, TSV, XLSX or JSON"
    )
    command.add_argument("--sheet", metavar="NAME", help="sheet of a workbook (the likeliest)")
    command.set_defaults(run=_new)


def _new(options):
    from helpers import check, guess

    todo = guess.new(options.folder, options.source, options.sheet)
    print(f"{options.folder}/review.toml says how the sheet is read. Look at:")
    print("\n".join(f"  {line}" for line in todo))
    findings = check.check(options.folder)
    print(
        f"{len(findings.faults)} faults and {len(findings.warnings)} warnings so far; see them by"
    )
    print(f"  python -m helpers check {options.folder}")
    print(f"then make the reports by\n  python -m helpers render --review {options.folder}")
    return 0


def _diff_command(commands):
    command = commands.add_parser(
        "diff",
        help="say what changed between two states of a review",
        description="Rows added, changed and excluded; pooled results before and after; conclusions "
        "that flipped.",
    )
    command.add_argument("old", metavar="OLD", help="folder of the earlier state")
    command.add_argument("new", metavar="NEW", help="folder of the later state")
    command.set_defaults(run=_diff)


def _diff(options):
    from helpers import diff

    print(diff.report(*diff.compare_states(options.old, options.new)))
    return 0


def _compare_command(commands):
    command = commands.add_parser(
        "compare",
        help="hold two extractors' sheets against each other",
        description="Agreement by column and the cells that differ. Exit status: 0 no cell differs; "
        "1 some do.",
    )
    command.add_argument("a", metavar="A", help="sheet of one extractor")
    command.add_argument("b", metavar="B", help="sheet of the other")
    command.add_argument("--key", metavar="COLUMN", help="column that names a row in both")
    command.add_argument(
        "--tolerance", type=float, default=0, metavar="SHARE", help="numbers this near agree (0)"
    )
    command.add_argument("--out", metavar="FILE", help="write the reconciled sheet as CSV")
    command.set_defaults(run=_compare)


def _compare(options):
    from helpers.compare import compare_sheets

    agreement, differing, reconciled = compare_sheets(
        options.a, options.b, key=options.key, tolerance=options.tolerance
    )
    for table in (agreement, differing):
        print(table.to_string(index=False, na_rep=""), end="\n\n")
    if options.out:
        reconciled.to_csv(options.out, index=False)
    return 1 if len(differing) else 0


if __name__ == "__main__":
    sys.exit(main())
