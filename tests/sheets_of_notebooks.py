"""A made-up review for the notebooks of `tests/notebooks`, a family each, and its rendering."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from helpers.review.description import PROJECT

NOTEBOOKS = Path(__file__).parent / "notebooks"
GRACE = 60  # seconds that a command has to end on a loaded machine
SHEET = """\
experiment,study,cohort,control_group,outcome,n_treated,mean_treated,sd_treated,n_control,mean_control,sd_control,follow_up_days,provenance
e1,s1,c1,g1,one,6,2.5,1,6,0,1,28,made up
"""


def make_review(folder, *families):
    folder.mkdir(exist_ok=True)
    lines = ['id = "made_up"', 'title = "A review"', "[sheet]", 'file = "experiments.csv"']
    for family in families:
        lines += ["[[families]]", f'id = "{family}"', f'label = "{family.title()}"']
        for outcome in ("one", "two") if family == "good" else (f"of_{family}",):
            lines += ["[[families.outcomes]]", f'id = "{outcome}"', 'better = "higher"']
    for moderator in ("route", "timing"):
        lines += ["[[moderators]]", f'id = "{moderator}"']
    (folder / "review.toml").write_text("\n".join(lines), encoding="utf-8")
    (folder / "experiments.csv").write_text(SHEET, encoding="utf-8")
    return folder


@contextmanager
def started(*arguments, **environment):
    """The command line in a process of its own, which ends with the test, whatever becomes of that.

    It heeds what a terminal sends also where the tests themselves run in the background.
    """
    line = [sys.executable, "-m", "helpers", *map(os.fsdecode, arguments)]
    own = {**os.environ, "PYTHONPATH": str(PROJECT), **environment}
    kinds = dict(stderr=subprocess.PIPE, text=True, preexec_fn=_heed if os.name != "nt" else None)
    with subprocess.Popen(line, env=own, **kinds) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def _heed():
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def is_running(pid):
    """Whether there is a process of this number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
