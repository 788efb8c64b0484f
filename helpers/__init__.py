"""Meta-analysis of animal experiments: from an extraction sheet to reports.

A notebook imports `Report`, one family of outcomes, and `Overview`, the review as a whole, and
nothing else. Both are loaded when they are asked for.

The words of the field, as they are used everywhere here:

experiment
    One treated group against one control group on one outcome; a row of the sheet.
study
    One article; it can hold several experiments.
outcome
    What is measured: a score of locomotion, cavity size, GFAP, Bax, IL-1b.
family
    Outcomes that are reported together: locomotion, histology, apoptosis, inflammation, microglia.
moderator
    A property of the experiment that may explain heterogeneity: species, model of injury, route.
control group
    The untreated injured animals; several treated groups of a study can share one.
cohort
    The same animals, measured on several outcomes or days.
effect
    What treated and control groups differ by, treated minus control. A second number beside it is
    always named: ``se``, ``variance`` or ``sd``.
"""

__version__ = "0.1.0"
__all__ = ["Overview", "Report"]


def __getattr__(name):
    """Load what a notebook calls, with all of the statistics, once it is asked for."""
    if name == "Report":
        from helpers.report.family import Report as found
    elif name == "Overview":
        from helpers.report.overview import Overview as found
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__():
    return __all__
