"""Style, script and policy of a page: all that it needs is inside it, and nothing else may run."""

from __future__ import annotations

import base64
import hashlib
from functools import cache

from markupsafe import Markup

from helpers.page.templating import TEMPLATES


@cache
def asset(name):
    """Text of a file beside the templates."""
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))


def policy(css, js, *, inline_styles=False):
    """Content-Security-Policy of a page that holds this style sheet and this script."""
    styles = "'unsafe-inline'" if inline_styles else _hash(css)
    rules = (
        f"default-src 'none'; script-src {_hash(js)}; style-src {styles}; "
        "img-src data: blob:; connect-src 'none'; base-uri 'none'; form-action 'none'"
    )
    return Markup(f'<meta http-equiv="Content-Security-Policy" content="{rules}">')


def _hash(text):
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
