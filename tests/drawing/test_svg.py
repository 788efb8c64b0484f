import re
import xml.etree.ElementTree as ET

import numpy as np
import page_sample
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle

from helpers.drawing.marks import Hover
from helpers.drawing.svg import svg


def axes(width=4, height=3, **limits):
    figure = Figure(figsize=(width, height), facecolor="none")
    return figure.add_axes((0, 0, 1, 1), **limits, frameon=False, xticks=[], yticks=[])


def tree(ax, **more):
    return ET.fromstring(svg(ax.figure, name="f", alt="what it shows", **more))


def all_of(ax, tag, **more):
    return list(tree(ax, **more).iter(tag))


def test_picture_has_the_size_of_the_figure_and_an_alternative_text():
    root = tree(axes(4, 3))
    assert root.get("viewBox") == "0 0 288 216"
    assert (root.get("width"), root.get("height")) == ("384", "288")
    assert (root.get("role"), root.get("aria-label")) == ("img", "what it shows")


def test_dpi_of_the_figure_does_not_matter_and_stays():
    ax = axes()
    ax.plot([0, 1], [0, 1])
    before = svg(ax.figure, name="f", alt="")
    ax.figure.set_dpi(200)
    assert svg(ax.figure, name="f", alt="") == before
    assert ax.figure.dpi == 200


def test_line_is_where_the_data_are():
    ax = axes(xlim=(0, 4), ylim=(0, 3))
    ax.plot([1, 3], [1, 2], color="#0072B2", lw=2)
    (path,) = all_of(ax, "path")
    assert path.get("d") == "M72 144 216 72"
    assert path.get("stroke") == "#0072b2"
    assert path.get("stroke-width") == "2"


def test_level_and_upright_strokes_are_written_short():
    ax = axes(xlim=(0, 4), ylim=(0, 3))
    ax.plot([1, 3, 3, 2], [1, 1, 2, 0])
    (path,) = all_of(ax, "path")
    assert path.get("d") == "M72 144H216V72L144 216"


def test_ink_follows_the_page_and_white_its_ground():
    ax = axes()
    ax.plot([0, 1], [0, 0], color="#222222")
    ax.plot([0, 1], [1, 1], color="white")
    assert [p.get("stroke") for p in all_of(ax, "path")] == ["currentColor", "var(--ground,#fff)"]


def test_points_are_circles_with_area_in_square_points():
    ax = axes(xlim=(0, 4), ylim=(0, 3))
    ax.scatter([2], [1], s=[np.pi * 5**2 * 4 / np.pi], color="#D55E00")  # diameter 10 points
    (circle,) = all_of(ax, "circle")
    assert [circle.get(key) for key in ("cx", "cy", "r")] == ["144", "144", "5"]


def test_ellipses_are_no_circles():
    ax = axes(xlim=(0, 4), ylim=(0, 6))
    ax.add_patch(Circle((2, 3), 1))
    assert all_of(ax, "circle") == []
    (path,) = all_of(ax, "path")
    assert path.get("d").count("C") == 1


def test_text_is_text_with_its_anchor():
    ax = axes(xlim=(0, 4), ylim=(0, 3))
    for ha in ("left", "center", "right"):
        ax.text(2, 1, f"<{ha}>", ha=ha, va="baseline", fontsize=12, weight="bold")
    found = all_of(ax, "text")
    assert [t.text for t in found] == ["<left>", "<center>", "<right>"]
    assert {(t.get("x"), t.get("y")) for t in found} == {("144", "144")}
    assert [t.get("text-anchor") for t in found] == [None, "middle", "end"]
    assert {(t.get("font-size"), t.get("font-weight")) for t in found} == {("12", "700")}


def test_letters_that_the_font_does_not_have_are_left_to_the_reader():
    ax = axes()
    ax.text(0.5, 0.5, "中文")
    assert [t.text for t in all_of(ax, "text")] == ["中文"]


def test_turned_text_turns_about_its_start():
    ax = axes(xlim=(0, 4), ylim=(0, 3))
    ax.text(1, 1, "up", rotation=90, rotation_mode="anchor", va="baseline")
    (text,) = all_of(ax, "text")
    assert text.get("transform") == "rotate(-90 72 144)"


def test_mathematics_is_drawn_as_outlines():
    ax = axes()
    ax.text(0.5, 0.5, r"$\tau^2$")
    assert all_of(ax, "text") == []
    assert all_of(ax, "path")


def test_widths_agree_with_matplotlib():
    ax = axes()
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.font_manager import FontProperties

    from helpers.drawing.svg import _Renderer

    words, font = "2.31 [1.95, 2.66] reconstructed", FontProperties(size=9)
    width = _Renderer(9, 9, "f").get_text_width_height_descent(words, font, False)[0]
    sharp = RendererAgg(9, 9, 1440).get_text_width_height_descent(words, font, False)[0] / 20
    assert width == pytest.approx(sharp, rel=0.02)
    assert ax.figure is not None


def test_elements_that_look_alike_share_a_group():
    ax = axes(xlim=(0, 4), ylim=(0, 3))
    for y in (0.5, 1, 2):
        ax.plot([0, 4], [y, y], color="#D55E00")
    groups = [g for g in all_of(ax, "g") if g.get("stroke")]
    assert [(g.get("stroke"), len(g)) for g in groups] == [("#d55e00", 3)]


def test_transparent_points_shine_through_each_other():
    ax = axes()
    ax.scatter([0.5, 0.5], [0.5, 0.5], alpha=0.4, color="#D55E00")
    text = svg(ax.figure, name="f", alt="")
    assert ' fill-opacity="0.4"' in text
    assert ' opacity="' not in text


def test_what_has_no_paint_is_not_drawn():
    ax = axes()
    ax.add_patch(Rectangle((0, 0), 1, 1, facecolor="none", edgecolor="none"))
    ax.figure.set_facecolor("none")
    assert all_of(ax, "path") == []


def test_only_what_leaves_the_axes_is_clipped():
    figure = Figure(figsize=(4, 3), facecolor="none")
    ax = figure.add_axes((0.25, 0, 0.5, 1), xlim=(0, 1), ylim=(0, 1), frameon=False)
    ax.set(xticks=[], yticks=[])
    ax.plot([0.2, 0.8], [0.5, 0.5], color="#0072B2")
    assert "clip-path" not in svg(figure, name="f", alt="")
    ax.plot([-1, 2], [0.7, 0.7], color="#0072B2")
    text = svg(figure, name="f", alt="")
    assert re.findall(r'clip-path="url\(#([^)]*)\)"', text) == re.findall(
        r'clipPath id="([^"]*)"', text
    )
    assert 'd="M72 216H216V0H72"' in text


def test_titles_and_identifiers_of_rows():
    ax = axes()
    ax.plot([0, 1], [0, 1], gid="row-0")
    Hover(ax, [0.5], [0.5], ["A & <B>"])
    root = tree(ax)
    assert [g.get("id") for g in root.iter("g") if g.get("id")] == ["f-row-0"]
    assert [one.text for one in root.iter("title")] == ["A & <B>"]


def test_hatches_rise_to_the_right_on_their_ground():
    ax = axes()
    ax.add_patch(Rectangle((0.1, 0.1), 0.5, 0.5, hatch="/", facecolor="#0072B2", alpha=0.5))
    (pattern,) = all_of(ax, "pattern")
    ground, lines = pattern
    assert ground.get("fill-opacity") == "0.5"
    x0, y0, x1, y1 = map(float, re.findall(r"-?[\d.]+", lines.get("d"))[:4])
    assert (x1 - x0) * (y1 - y0) < 0  # y runs downwards
    assert [p.get("fill") for p in tree(ax).iter("path")][-1] == f"url(#{pattern.get('id')})"


def test_images_keep_their_corner():
    ax = axes(xlim=(0, 4), ylim=(0, 3))
    ax.imshow(np.array([[0.0, 1.0], [1.0, 0.0]]), extent=(1, 2, 1, 2), aspect="auto")
    (image,) = all_of(ax, "image")
    place = [float(image.get(key)) for key in ("x", "y", "width", "height")]
    assert place == pytest.approx([72, 72, 72, 72], abs=1.1)
    assert image.get("href").startswith("data:image/png;base64,")


def test_gaps_and_dashes():
    ax = axes(xlim=(0, 4), ylim=(0, 3))
    ax.plot([0, 1, np.nan, 2, 3], [1, 2, 1, 2, 1], dashes=(4, 2), lw=1)
    (path,) = all_of(ax, "path")
    assert path.get("d").count("M") == 2
    assert path.get("stroke-dasharray") == "4 2"


def test_same_figure_same_bytes_and_a_small_picture():
    (first, _), (second, _) = page_sample.forest(), page_sample.forest()
    text = svg(first, name="f", alt="a")
    assert svg(second, name="f", alt="a") == text
    assert len(text) < 40_000
    assert text.count("<title>") == 72
