"""One look for every figure: colours, fonts and lines.

Ink is ``#222222``: the page replaces it by the colour of its text, so figures follow light and
dark mode. Everything else is a mid-tone that stands on white and on near-black; grounds are
transparent.
"""

import matplotlib

INK = "#222222"
GREY = "#808080"
# Okabe and Ito's colours that keep a contrast near 3:1 and better on white and on near-black.
BLUE, VERMILLION, GREEN = "#0072B2", "#D55E00", "#009E73"
SIZE = 9  # points; no text is smaller
DASHED = (0, (4, 3))

RC = {
    "font.family": ["DejaVu Sans", "sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],
    **dict.fromkeys(("font.size", "axes.labelsize", "axes.titlesize", "legend.fontsize"), SIZE),
    **dict.fromkeys(("xtick.labelsize", "ytick.labelsize"), SIZE),
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor"), INK),
    **dict.fromkeys(("xtick.color", "ytick.color"), INK),
    **dict.fromkeys(("figure.facecolor", "axes.facecolor", "savefig.facecolor"), "none"),
    **dict.fromkeys(("axes.spines.top", "axes.spines.right", "legend.frameon"), False),
    **dict.fromkeys(("axes.linewidth", "xtick.major.width", "ytick.major.width"), 0.8),
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.titley": 1.0,  # where it is anyway; looking for it costs a layout of all ticks
    "lines.linewidth": 1.2,
    "path.simplify": False,
}
# Files that a person saves, outside of `context` as well: text stays text, and PDFs and PostScript
# embed TrueType fonts, since journals refuse matplotlib's usual Type 3.
SAVED = {"svg.fonttype": "none", "pdf.fonttype": 42, "ps.fonttype": 42}
matplotlib.rcParams.update(SAVED)


def context(**more):
    """Matplotlib settings of every figure, for drawing as well as for saving.

    Parameters
    ----------
    **more
        Further settings, dots written as two underscores (``svg__hashsalt="name"``).
    """
    return matplotlib.rc_context(RC | {key.replace("__", "."): v for key, v in more.items()})


def styled(function):
    """Decorate a function so that it draws with the settings of `context`."""
    return context()(function)
