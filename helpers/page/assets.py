"""Style, script and policy of a page: all that it needs is inside it, and nothing else may run."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache

from markupsafe import Markup

from helpers.page.templating import TEMPLATES

LAB = "preclinical"  # class of what a block shows in a notebook


@cache
def asset(name):
    """Text of a file beside the templates."""
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))


@cache
def lab_style():
    """Style of a block's own, for JupyterLab and VS Code: the page's look, light and dark."""
    css = asset("report.css")
    light = re.search(r":root \{(.*?)\}", css, re.DOTALL)[1]
    dark = re.search(r':root\[data-theme="dark"\] \{(.*?)\}', css, re.DOTALL)[1]
    blocks = re.search(r"/\* blocks.*?\*/(.*)/\* end of blocks", css, re.DOTALL)[1]
    own = f".{LAB}.{LAB}"  # twice, so that it outweighs the style of tables in JupyterLab
    ground = "--ground: var(--jp-layout-color0, var(--vscode-editor-background, Canvas));"
    tables = "table { margin: 0; color: inherit; } tbody tr:nth-child(n) { background: none; }"
    text = (
        f"{own} {{{light} {ground} color: var(--ink); {blocks} {tables}}}"
        f"[data-jp-theme-light=false] {own}, .vscode-dark {own} {{{dark} {ground}}}"
    )
    return Markup("<style>{}</style>").format(Markup(re.sub(r"\s+", " ", text)))


def for_lab(html):
    """HTML of a block as a notebook's output bears it; `for_page` takes it back."""
    return (
        Markup('{}<div class="{}">{}</div>').format(lab_style(), LAB, Markup(html)) if html else ""
    )


def for_page(html):
    """HTML of a block without the style that a page has once for all."""
    start = f'{lab_style()}<div class="{LAB}">'
    return html.removeprefix(start).removesuffix("</div>") if html.startswith(start) else html


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
