"""The templates of pages and of their parts; whatever is put into one is escaped.

Texts become HTML here and nowhere else: what is no `Markup` cannot bring a tag into a page.
"""

import re
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup, escape

TEMPLATES = Path(__file__).with_name("templates")
DOI = re.compile(r"\b(?:doi:\s?|https://doi\.org/)(10\.\d+/[^\s;,&]*[^\s;,&.):])")
DOI_LINK = r'<a href="https://doi.org/\1">doi:\1</a>'


def paragraphs(text):
    """Plain text as paragraphs: blank lines part them, DOIs become links."""
    parts = (str(escape(part.strip())) for part in re.split(r"\n\s*\n", str(text).strip()))
    return Markup("").join(Markup(f"<p>{DOI.sub(DOI_LINK, part)}</p>") for part in parts)


def linked(text):
    """Plain text of one line, in which DOIs become links."""
    return Markup(DOI.sub(DOI_LINK, str(escape(text))))


@cache
def environment():
    """The environment of all templates of pages."""
    made = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True)
    made.filters |= {"paragraphs": paragraphs, "linked": linked}
    return made


@cache
def macros():
    """The macros of `blocks.html.j2`; each gives a `Markup`."""
    return environment().get_template("blocks.html.j2").module
