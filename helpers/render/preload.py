"""What every worker needs, imported once by Python's fork server before it forks the first."""

import contextlib
import gc
import importlib

from helpers import provenance
from helpers.page import templating
from helpers.render.imports import without
from helpers.render.shell import make_shell

# What notebooks and IPython use, some of it imported late.
MODULES = (
    "pandas.core.methods.to_dict",
    "pandas.io.formats.csvs",
    "pandas.io.formats.string",
    "matplotlib.backends.backend_svg",
    "helpers.review.check",
    "helpers.drawing.svg",
    "helpers.report.family",
    "helpers.report.overview",
    "helpers.page.index",
    "seaborn",
    "statsmodels.stats.multitest",
)

# seaborn takes ipywidgets for choosing palettes by hand, a third of its time.
with without("ipywidgets"):
    SHELL = make_shell()
    for _name in MODULES:
        # What cannot be imported fails in the notebook that imports it, with a place and a name.
        with contextlib.suppress(Exception):
            importlib.import_module(_name)
    provenance.versions()  # what these give is kept, and so computed once for all
    provenance.code_hash()
    templating.macros()
# A collection in a worker need not touch, and so copy, what all workers share; and the few hundred
# figures of a report are no reason for a hundred collections.
gc.freeze()
gc.set_threshold(300_000, 20, 100)
