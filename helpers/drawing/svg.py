"""Write a matplotlib figure as a small SVG that lives inside a page.

Matplotlib's own SVG backend repeats fonts and styles on every element, draws invisible grounds,
and its identifiers clash when two figures share a page. This renderer draws the same artists in
a third of the bytes and of the time. Ink (``#222222`` and black) follows the page's text colour
and white the page's ground, so that figures can be read in light and in dark. Text stays text,
in a font of the reader's machine, laid out with the wider metrics of the figure's font.
"""

from __future__ import annotations

import base64
import io
from functools import cache
from html import escape
from itertools import groupby
from operator import itemgetter

import numpy as np
from matplotlib.backend_bases import RendererBase
from matplotlib.colors import to_hex
from matplotlib.font_manager import findfont, weight_dict
from matplotlib.path import Path
from matplotlib.transforms import Affine2D

from helpers.drawing.style import SIZE
from helpers.drawing.text import measures

FONT = "Arial, 'Helvetica Neue', Helvetica, 'Liberation Sans', sans-serif"
PAINT = {"#222222": "currentColor", "#000000": "currentColor", "#ffffff": "var(--ground,#fff)"}
VERBS = {Path.MOVETO: "M", Path.LINETO: "L", Path.CURVE3: "Q", Path.CURVE4: "C"}
ANCHOR = {"left": "", "center": "middle", "right": "end"}
CIRCLE = Path.unit_circle()


def svg(figure, *, name, alt, look=""):
    """Draw a figure as an ``<svg>`` element.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Its size in inches becomes the size of the picture; nothing is cropped.
    name : str
        Head of every identifier inside the picture (of artists with a ``gid``,
        of clips and hatches); unique in a page.
    alt : str
        What a reader who does not see the picture is told.
    look : str
        Class of the element; one called "narrow" is not shown but where the page's style says so.

    Returns
    -------
    str
        The element, without an XML header; the same figure gives the same bytes.
    """
    width, height = 72 * figure.get_size_inches()
    dpi, renderer = figure.dpi, _Renderer(width, height, name)
    figure.dpi = 72
    try:
        figure.draw(renderer)
    finally:
        figure.dpi = dpi
    defs = "".join(renderer.defs.values())
    shown = f' class="{look}"' if look else ""
    shown += ' display="none"' if look == "narrow" else ""
    return (
        f'<svg{shown} role="img" aria-label="{escape(alt)}" viewBox="0 0 {_n(width)} {_n(height)}" '
        f'width="{_n(width * 4 / 3)}" height="{_n(height * 4 / 3)}" font-family="{FONT}" '
        f'font-size="{SIZE}" fill="currentColor" stroke-linejoin="round">'
        f"{f'<defs>{defs}</defs>' if defs else ''}{renderer.drawn()}</svg>"
    )


class _Renderer(RendererBase):
    def __init__(self, width, height, name):
        super().__init__()
        self.width, self.height, self.name = width, height, name
        self.out, self.defs, self.groups, self.fonts = [], {}, [], {}

    def drawn(self):
        """All elements; those in a row that look alike share a group."""
        parts = []
        for style, run in groupby(self.out, key=itemgetter(1)):
            run = list(run)
            if style and len(run) > 1:
                parts += [f"<g{style}>", *(head + tail for head, _, tail in run), "</g>"]
            else:
                parts += ["".join(element) for element in run]
        return "".join(parts)

    def flipy(self):
        return True

    def get_canvas_width_height(self):
        return self.width, self.height

    def option_image_nocomposite(self):
        return True

    def open_group(self, s, gid=None):
        self.groups.append(gid)
        if gid is not None:
            self.out.append((f'<g id="{escape(f"{self.name}-{gid}")}">', "", ""))

    def close_group(self, s):
        if self.groups.pop() is not None:
            self.out.append(("</g>", "", ""))

    def put(self, tag, place, style, text=""):
        """Add an element."""
        self.out.append((f"<{tag} {place}", style, f">{text}</{tag}>" if text else "/>"))

    def hover(self, x, y, width, height, title):
        """Add an unseen box that shows a title; without any paint the pointer still meets it."""
        place = f'x="{_n(x)}" y="{_n(self.height - y - height)}" width="{_n(width)}" '
        place += f'height="{_n(height)}"'
        style = ' fill="none" pointer-events="all"'
        self.put("rect", place, style, f"<title>{escape(title, quote=False)}</title>")

    def draw_path(self, gc, path, transform, rgbFace=None):
        face = rgbFace if rgbFace is not None and (len(rgbFace) < 4 or rgbFace[3]) else None
        line = gc.get_linewidth() and gc.get_rgb()[3]
        if face is None and not line and gc.get_hatch() is None:
            return
        points = transform.transform(path.vertices) * (1, -1) + (0, self.height)
        style = self._style(gc, face, line) + self._clip(gc, points)
        if len(points) == len(CIRCLE.vertices) and (circle := _circle(points)):
            cx, cy, r = map(_n, circle)
            self.put("circle", f'cx="{cx}" cy="{cy}" r="{r}"', style)
            return
        # Only bare lines are thinned or cut: a filled outline must stay whole.
        clip = (-99, -99, self.width + 99, self.height + 99) if face is None else None
        moved = Path(points, path.codes).cleaned(
            remove_nans=True, clip=clip, simplify=path.should_simplify and face is None, curves=True
        )
        if d := _outline(moved):
            self.put("path", f'd="{d}"', style)

    def draw_text(self, gc, x, y, s, prop, angle, ismath=False, mtext=None):
        if ismath:
            super().draw_text(gc, x, y, s, prop, angle, ismath, mtext)
            return
        anchor = ""
        if mtext is not None and not angle:
            x = mtext.get_transform().transform(mtext.get_unitless_position())[0]
            anchor = ANCHOR[mtext.get_horizontalalignment()]
        weight = prop.get_weight()
        weight = weight_dict.get(weight, weight)
        family = prop.get_family()[0]
        size, rgb = prop.get_size(), gc.get_rgb()
        style = {
            "text-anchor": anchor,
            "font-size": "" if size == SIZE else _n(size),
            "font-weight": "" if weight == 400 else weight,
            "font-style": prop.get_style().replace("normal", ""),
            "font-family": family if family in ("monospace", "serif") else "",
            "fill": _paint(rgb).replace("currentColor", ""),
            "fill-opacity": "" if rgb[3] == 1 else _n(rgb[3]),
        }
        turn = f' transform="rotate({_n(-angle)} {_n(x)} {_n(y)})"' if angle else ""
        place = f'x="{_n(x)}" y="{_n(y)}"{turn}'
        self.put("text", place, _attributes(style), escape(s, quote=False))

    def get_text_width_height_descent(self, s, prop, ismath):
        if ismath:
            return super().get_text_width_height_descent(s, prop, ismath)
        size, key = prop.get_size(), (*prop.get_family(), prop.get_style(), prop.get_weight())
        if key not in self.fonts:
            self.fonts[key] = measures(str(findfont(prop)))
        font = self.fonts[key]
        return size * font.width(s), size * font.height, size * font.descent

    def draw_image(self, gc, x, y, im, transform=None):
        from PIL import Image

        buffer = io.BytesIO()
        Image.fromarray(im[::-1]).save(buffer, format="png")
        high, wide = im.shape[:2]
        if transform is not None:
            wide, high = transform.frozen().to_values()[0], transform.frozen().to_values()[3]
        data = base64.b64encode(buffer.getvalue()).decode()
        place = f'x="{_n(x)}" y="{_n(self.height - y - high)}" width="{_n(wide)}" '
        place += f'height="{_n(high)}" href="data:image/png;base64,{data}"'
        self.put("image", place, "")

    def _style(self, gc, face, line):
        alpha = gc.get_alpha() if gc.get_forced_alpha() else None
        fill = "none" if face is None else _paint(face).replace("currentColor", "")
        style = {"fill": fill}
        if gc.get_hatch() is not None:
            style["fill"] = f"url(#{self._hatch(gc, face)})"
        elif face is not None:
            style["fill-opacity"] = _opacity(face, alpha)
        if line:
            offset, dashes = gc.get_dashes()
            width, rgb, cap = gc.get_linewidth(), gc.get_rgb(), gc.get_capstyle()
            style["stroke"] = _paint(rgb)
            style["stroke-width"] = "" if width == 1 else _n(width)
            style["stroke-opacity"] = _opacity(rgb, alpha)
            style["stroke-linecap"] = {"butt": "", "projecting": "square"}.get(cap, cap)
            join = gc.get_joinstyle()
            style["stroke-linejoin"] = "" if join == "round" else join
            if dashes is not None:
                style["stroke-dasharray"] = " ".join(map(_n, dashes))
                style["stroke-dashoffset"] = _n(offset) if offset else ""
        return _attributes(style)

    def _clip(self, gc, points):
        path, transform = gc.get_clip_path()
        if path is not None:
            shape = Path(transform.transform(path.vertices), path.codes)
        elif (box := gc.get_clip_rectangle()) is not None:
            low, high = np.fmin.reduce(points), np.fmax.reduce(points)  # gaps are NaN
            corner, other = (box.x0, self.height - box.y1), (box.x1, self.height - box.y0)
            if (low >= np.subtract(corner, 1)).all() and (high <= np.add(other, 1)).all():
                return ""
            x0, y0, x1, y1 = box.extents
            shape = Path([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], closed=False)
        else:
            return ""
        d = _outline(Path(shape.vertices * (1, -1) + (0, self.height), shape.codes))
        mark = f"{self.name}-clip{len(self.defs)}"
        mark = self._define(d, f'<clipPath id="{mark}"><path d="{d}"/></clipPath>')
        return f' clip-path="url(#{mark})"'

    def _hatch(self, gc, face):
        lines = _outline(
            gc.get_hatch_path().transformed(Affine2D().scale(36, -36).translate(0, 36))
        )
        ground = "none" if face is None else _paint(face)
        opacity = "" if face is None or len(face) < 4 else f' fill-opacity="{_n(face[3])}"'
        mark = f"{self.name}-hatch{len(self.defs)}"
        return self._define(
            (lines, ground, opacity, gc.get_hatch_color()),
            f'<pattern id="{mark}" patternUnits="userSpaceOnUse" width="36" height="36">'
            f'<path d="M0 0h36v36h-36z" fill="{ground}"{opacity}/><path d="{lines}" '
            f'fill="none" stroke="{_paint(gc.get_hatch_color())}"/></pattern>',
        )

    def _define(self, key, element):
        """Identifier of an element that is kept once, however often it is used."""
        return self.defs.setdefault(key, element).split('"', 2)[1]


def _n(x):
    """Two decimals of a point are far below what print resolves."""
    text = f"{x:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


@cache
def _hex(rgb):
    return to_hex(rgb)


def _paint(rgb):
    colour = _hex(tuple(rgb[:3]))
    return PAINT.get(colour, colour)


def _opacity(rgb, alpha):
    # Not the opacity of the element: elements that share a group must shine through each other.
    alpha = rgb[3] if alpha is None and len(rgb) == 4 else 1 if alpha is None else alpha
    return "" if alpha == 1 else _n(alpha)


def _attributes(style):
    return "".join(f' {key}="{value}"' for key, value in style.items() if value != "")


def _circle(points):
    """Centre and radius where the points are those of matplotlib's circle."""
    centre = (points[0] + points[12]) / 2  # halfway round from the start
    x, y = points[0] - centre
    radius = np.hypot(x, y)
    # The unit circle starts at its lowest point; the y axis of a picture runs downwards.
    same = np.abs(points - centre - radius * CIRCLE.vertices * (1, -1))[:-1].max() < 0.01
    return (*centre, radius) if same else None


def _outline(path):
    """Path data: verbs M, H, V, Q, C and z; a pair without a verb goes on as line or curve."""
    vertices = path.vertices.tolist()
    bare = [Path.MOVETO] + [Path.LINETO] * (len(vertices) - 1)
    codes = bare if path.codes is None else path.codes.tolist()
    words, before, at = [], None, (None, None)
    for point, code in zip(vertices, codes, strict=True):
        x, y = map(_n, point)
        if code == Path.STOP:
            break
        if code == Path.CLOSEPOLY:
            words.append("z")
        elif code == Path.LINETO and (x == at[0] or y == at[1]):
            words.append(f"V{y}" if x == at[0] else f"H{x}")
            code = None
        elif code == before != Path.MOVETO or (before, code) == (Path.MOVETO, Path.LINETO):
            words.append(f" {x} {y}")
        else:
            words.append(f"{VERBS[code]}{x} {y}")
        before, at = code, (x, y)
    return "".join(words)
