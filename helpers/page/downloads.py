"""A link that hands out a text as a file, from inside the page."""

import re
from urllib.parse import quote

from helpers.page.templating import macros

# What a link cannot hold as it is.
UNSAFE = re.compile(r"[^\w .,;:/()\[\]!*$=@+?~-]+", re.ASCII)


def link(text, filename, label="CSV", mime="text/csv"):
    """A link that hands out a text as a file, from inside the page."""
    data = f"data:{mime};charset=utf-8,{UNSAFE.sub(lambda found: quote(found[0]), text)}"
    return macros().link(data, filename, label)
