"""How long many reports take, how much memory, and how both grow (`make bench`).

Each line is one whole process. Of linear growth a quarter of the reports takes a quarter of the time
beyond that of the start; memory of all processes together should hardly grow at all.
"""

import argparse
import tempfile
from pathlib import Path

from bench_reports import begin, render, show
from made_up import simulate_many

LIMIT = 7200  # seconds after which a run is ended
OUTCOMES, ROWS = 10, 12  # of a family; of an outcome


def main():
    """Measure and print, a line a stage."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--families", type=int, nargs="*", default=[5, 20])
    parser.add_argument("--reviews", type=int, nargs="*", default=[25, 100])
    options = parser.parse_args()
    begin()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for families in options.families:
            review, out = folder / f"outcomes-{families}", folder / f"out-{families}"
            simulate_many(review, families, OUTCOMES, ROWS)
            measure(f"{families * OUTCOMES} outcomes in {families} families", out, review)
        reviews = [folder / f"review-{number}" for number in range(max(options.reviews, default=0))]
        for review in reviews:
            simulate_many(review, 1, 1, ROWS)
        for number in options.reviews:
            measure(f"{number} reviews of one outcome", folder / f"all-{number}", *reviews[:number])


def measure(name, out, *reviews):
    """Render all reports of some reviews, with nothing there before, and once more."""
    for words in (name, f"{name}, nothing changed"):
        made = render(out, *reviews, watch=True, limit=LIMIT)
        pages = [page for page in out.rglob("*.html") if page.name != "index.html"]
        show(f"{words} ({len(pages)} reports)", [made], pages)


if __name__ == "__main__":
    main()
