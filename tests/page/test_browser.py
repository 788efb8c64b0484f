"""Pages as a reader meets them, in headless Chromium.

Skipped where there is no Chromium, no chromedriver or no selenium. axe-core is looked for in
``node_modules`` of the project (``npm install --no-save axe-core``) or at ``$AXE_CORE``.
"""

import base64
import csv
import io
import json
import os
import shutil
import struct
import subprocess
import time
from pathlib import Path

import page_sample
import pytest

from helpers.page import document
from helpers.page.index import index as write_index

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[2]
AXE = Path(os.environ.get("AXE_CORE") or ROOT / "node_modules/axe-core/axe.min.js")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--window-size=1440,900",
]  # fmt: skip

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
DRIVER = shutil.which("chromedriver")
if not (CHROMIUM and DRIVER):
    pytest.skip("there is no Chromium with chromedriver here", allow_module_level=True)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    (folder / "report.html").write_text(document.export(page_sample.notebook()), encoding="utf-8")
    html = write_index(page_sample.entries(), title="A review")
    (folder / "index.html").write_text(html, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def chromium(files, tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    driver.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(files)}
    )
    yield driver
    driver.quit()


def open_page(chromium, files, name, *, width=1440, height=900, dark=False):
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": [scheme]})
    for kind in ("browser", "performance"):
        chromium.get_log(kind)
    chromium.get((files / f"{name}.html").as_uri())
    return chromium


@pytest.fixture
def report(chromium, files):
    return open_page(chromium, files, "report")


@pytest.fixture
def index(chromium, files):
    return open_page(chromium, files, "index")


def run(driver, script, *arguments):
    return driver.execute_script(script, *arguments)


def click(driver, words, within="body"):
    script = """return [...document.querySelector(arguments[1]).querySelectorAll("button, a")]
      .filter((one) => one.textContent.trim() === arguments[0]).map((one) => one.click()).length"""
    assert run(driver, script, words, within), f"there is no {words!r} in {within}"


def downloaded(files, name):
    """Bytes of a download once they are all there."""
    path = files / name
    for _ in range(100):
        if path.is_file():
            content = path.read_bytes()
            path.unlink()
            return content
        time.sleep(0.05)
    raise AssertionError(
        f"{name} did not arrive; there are {sorted(p.name for p in files.iterdir())}"
    )


# --- What a page must not do -----------------------------------------------------------------


@pytest.mark.parametrize("name", ["report", "index"])
def test_no_request_leaves_and_the_console_is_silent(chromium, files, name):
    driver = open_page(chromium, files, name)
    run(driver, "window.scrollTo(0, document.body.scrollHeight)")
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    asked = [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]
    assert asked[0].startswith("file:")
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert [url for url in asked if url.startswith("file:")] == asked[:1]
    assert driver.get_log("browser") == []


@pytest.mark.parametrize("name", ["report", "index"])
def test_policy_stops_injected_scripts_and_connections(chromium, files, name):
    driver = open_page(chromium, files, name)
    run(
        driver,
        """const script = document.createElement("script");
        script.textContent = "window.injected = true";
        document.body.append(script);
        const box = document.createElement("div");
        box.innerHTML = "<img src='data:,' onerror='window.injected = true'>";
        document.body.append(box);""",
    )
    reached = driver.execute_async_script(
        """const done = arguments[0];
        fetch("http://localhost:9/").then(() => done("reached"), (error) => done(String(error)));"""
    )
    time.sleep(0.1)
    assert run(driver, "return window.injected") is None
    assert "TypeError" in reached
    complaints = " ".join(entry["message"] for entry in driver.get_log("browser"))
    assert complaints.count("script-src") >= 2
    assert "connect-src" in complaints


def test_a_strange_name_is_a_name(report):
    assert "<script>alert(1)</script>" in run(report, "return document.body.innerText")
    assert run(report, "return document.querySelectorAll('script').length") == 2


# --- Finding one's way -----------------------------------------------------------------------


def test_every_link_of_the_contents_leads_to_its_heading(report):
    links = run(
        report, "return [...document.querySelectorAll('nav li a')].map((a) => [a.hash, a.text])"
    )
    assert len(links) == 7
    for mark, words in links:
        run(report, "document.querySelector(`nav a[href='${arguments[0]}']`).click()", mark)
        time.sleep(0.05)
        heading = run(report, "return document.querySelector(':target').textContent")
        assert heading.startswith(words)


def test_contents_follow_the_scroll_position(report):
    run(report, "document.documentElement.style.scrollBehavior = 'auto'")
    for mark in ("moderators", "small-study-effects", "results-2"):
        run(report, "document.getElementById(arguments[0]).scrollIntoView()", mark)
        time.sleep(0.15)
        current = run(
            report,
            "return [...document.querySelectorAll('nav a[aria-current]')].map((a) => a.hash)",
        )
        assert current == [f"#{mark}"]


def test_contents_fold_on_a_phone(chromium, files):
    driver = open_page(chromium, files, "report", width=360, height=740)
    assert run(driver, "return document.querySelector('nav details').open") is False
    open_page(chromium, files, "report")
    assert run(driver, "return document.querySelector('nav details').open") is True


def test_links_from_alerts_and_glance_lead_somewhere(report):
    lost = run(
        report,
        """return [...document.querySelectorAll("a[href^='#']")]
        .filter((a) => !document.getElementById(a.hash.slice(1))).map((a) => a.hash)""",
    )
    assert lost == []


def test_one_switch_shows_all_code(report):
    states = "return [...document.querySelectorAll('.code')].map((one) => !!one.offsetParent)"
    assert set(run(report, states)) == {False}
    run(report, "document.querySelector('#show-code').click()")
    assert set(run(report, states)) == {True}
    run(report, "document.querySelector('#show-code').click()")
    assert set(run(report, states)) == {False}


FOLDS = "return [...document.querySelectorAll('.fold')].map((one) => one.open)"


def test_one_switch_unfolds_all(report):
    assert run(report, FOLDS) == [False, False]
    click(report, "Unfold all, also for printing")
    assert run(report, FOLDS) == [True, True]
    click(report, "Fold all")
    assert run(report, FOLDS) == [False, False]


def test_a_link_into_what_is_folded_opens_it(report):
    run(report, "location.hash = '#figure-funnel'")
    time.sleep(0.1)
    assert run(report, FOLDS) == [True, False]
    # The same link once more, after the reader has closed it.
    run(report, "document.querySelector('.fold').open = false")
    link = "document.querySelector('main').insertAdjacentHTML('beforeend', arguments[0])"
    run(report, link, "<a href='#figure-funnel' id='again'>again</a>")
    run(report, "document.querySelector('#again').click()")
    time.sleep(0.1)
    assert run(report, FOLDS) == [True, False]


def test_paper_has_no_code_and_only_names_what_is_folded(chromium, report):
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    seen = "return document.body.innerText"
    heights = """return [...document.querySelectorAll(arguments[0])]
      .map((one) => one.getBoundingClientRect().height)"""
    text = run(report, seen)
    assert "report.diagnosis()" not in text and "Small-study effects" in text
    assert not any(run(report, heights, ".code, nav, .actions"))
    assert max(run(report, heights, ".fold")) < 30
    run(report, "for (const one of document.querySelectorAll('.fold')) one.open = true")
    run(report, "document.querySelector('#show-code').checked = true")
    assert "report.diagnosis()" in run(report, seen)
    assert run(report, heights, "#bias")[0] > 200


def test_theme_switch_turns_the_page_dark(report):
    ground = "return getComputedStyle(document.body).backgroundColor"
    light = run(report, ground)
    click(report, "Light or dark")
    assert run(report, ground) != light == "rgb(255, 255, 255)"


# --- Tables ----------------------------------------------------------------------------------


def column(driver, table, place):
    script = """return [...document.querySelectorAll(`#${arguments[0]} tbody tr:not(.group)`)]
      .filter((row) => !row.hidden).map((row) => row.cells[arguments[1]].textContent)"""
    return run(driver, script, table, place)


def test_sorting_goes_up_down_and_back(report):
    before = column(report, "table-rows", 1)
    numbers = sorted(float(text.replace("−", "-")) for text in before)
    for expected in (numbers, numbers[::-1]):
        click(report, "effect", "#table-rows thead")
        now = [float(text.replace("−", "-")) for text in column(report, "table-rows", 1)]
        assert now == expected
    click(report, "effect", "#table-rows thead")
    assert column(report, "table-rows", 1) == before


def test_sorting_says_its_direction_and_stays_within_groups(report):
    click(report, "estimate", "#table-subgroups thead")
    states = run(report, "return [...document.querySelectorAll('#table-subgroups th[aria-sort]')]"
                 ".map((head) => [head.textContent, head.getAttribute('aria-sort')])")  # fmt: skip
    assert states == [["estimate", "ascending"]]
    # Within "Species", then within "Time"; what is missing comes last.
    assert column(report, "table-subgroups", 2) == ["−0.50", "2.12", "1.75", "12.25", "–"]


def test_filter_keeps_the_rows_that_match_and_counts_them(report):
    script = """const field = document.querySelector("#table-rows input");
      field.value = arguments[0]; field.dispatchEvent(new Event("input"));
      return document.querySelector("#table-rows .count").textContent"""
    assert run(report, script, "locomotion-1 marrow") == "10 of 72"
    assert column(report, "table-rows", 0) == [
        f"reconstructed-locomotion-{i}" for i in range(10, 20)
    ]
    assert run(report, script, "") == ""
    assert len(column(report, "table-rows", 0)) == 72


def test_copied_table_is_what_is_shown(report):
    report.execute_cdp_cmd(
        "Browser.grantPermissions",
        {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]},
    )
    click(report, "Copy table", "#table-subgroups")
    time.sleep(0.2)
    html = report.execute_async_script(
        """const done = arguments[0]; navigator.clipboard.read().then(async ([one]) =>
        done(await (await one.getType("text/html")).text()), (e) => done(String(e)))"""
    )
    assert html.count("<tr>") == 8 and "Subgroup estimates by moderator." in html
    assert '<th colspan="6">Species</th>' in html and "<td>2.12</td>" in html
    text = report.execute_async_script(
        "const done = arguments[0]; navigator.clipboard.readText().then(done, (e) => done(String(e)))"
    )
    lines = [line.split("\t") for line in text.splitlines()]
    assert lines[0] == ["level", "k", "estimate", "ci_low", "ci_high", "p"]
    assert lines[1:3] == [["Species"], ["rat", "50", "2.12", "1.50", "2.75", "<0.001"]]
    assert len(lines) == 8


def test_header_stays_in_sight_while_a_long_table_scrolls(report):
    script = """const box = document.querySelector("#table-rows .scroll");
      box.scrollTop = 600;
      return box.querySelector("thead th").getBoundingClientRect().top
        - box.getBoundingClientRect().top"""
    assert abs(run(report, script)) < 2


# --- Downloads -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["forest", "subgroups", "rows"])
def test_csv_download_is_the_csv_of_the_block(report, files, name):
    kind = "figure" if name == "forest" else "table"
    click(report, "CSV", f"#{kind}-{name}")
    assert downloaded(files, f"{name}.csv").decode() == BLOCKS[name].data["csv"]


def test_csv_download_reads_back_at_full_precision(report, files):
    click(report, "CSV", "#table-subgroups")
    rows = list(csv.DictReader(io.StringIO(downloaded(files, "subgroups.csv").decode())))
    assert rows[0]["estimate"] == "2.1234567890123"
    assert rows[4]["level"] == "'=cmd()"
    assert rows[1]["estimate"] == "-0.5"


def test_svg_download_stands_alone(report, files):
    click(report, "SVG", "#figure-forest")
    text = downloaded(files, "forest.svg").decode()
    assert text.startswith("<svg") and 'xmlns="http://www.w3.org/2000/svg"' in text
    assert "currentColor" not in text and "var(" not in text
    (files / "alone.svg").write_text(text, encoding="utf-8")
    report.get((files / "alone.svg").as_uri())
    assert run(report, "return document.documentElement.tagName") == "svg"
    assert run(report, "return document.querySelectorAll('text').length") > 144


SHOWN = """return [...document.querySelectorAll(arguments[0] + " svg")].map((one) => {
  const box = one.getBoundingClientRect(), frame = one.parentNode.getBoundingClientRect();
  return [one.getAttribute("class"), box.width > 0, box.right <= frame.right + 1];
})"""


def test_a_phone_shows_the_narrow_form_and_a_small_figure_whole(chromium, files):
    phone = open_page(chromium, files, "report", width=390, height=844)
    assert run(phone, SHOWN, "#figure-forest") == [["wide", False, True], ["narrow", True, True]]
    assert run(phone, SHOWN, "#figure-funnel") == [[None, True, True]]  # 528 px on a wide screen
    phone.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    shown = run(phone, SHOWN, "#figure-forest")
    assert [(look, there) for look, there, _ in shown] == [("wide", True), ("narrow", False)]
    desk = open_page(chromium, files, "report")
    assert run(desk, SHOWN, "#figure-forest") == [["wide", True, True], ["narrow", False, True]]
    assert run(desk, "return document.querySelector('#figure-funnel svg').clientWidth") == 528


def test_png_download_has_300_dots_an_inch(report, files):
    click(report, "PNG", "#figure-funnel")
    data = downloaded(files, "funnel.png")
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", data[16:24]) == (round(5.5 * 300), 4 * 300)
    where = data.index(b"pHYs")
    assert struct.unpack(">IIB", data[where + 4 : where + 13]) == (11811, 11811, 1)
    from matplotlib.image import imread

    image = imread(io.BytesIO(data))  # refuses a chunk with a wrong checksum
    assert image[0, 0, :3].min() > 0.99
    assert 0.01 < (image[..., 0] < 0.5).mean() < 0.9


def test_text_download(report, files):
    click(report, "metafor script")
    assert downloaded(files, "locomotion.R") == b"library(metafor)\n"


def test_results_are_in_the_page_as_json(report):
    content = json.loads(run(report, "return document.getElementById('results').textContent"))
    assert content["k"] == 72
    assert content["p"] is None
    assert content["note"] == f"</script>{page_sample.STRANGE}"


# --- Every screen, paper, every reader -------------------------------------------------------


@pytest.mark.parametrize("name", ["report", "index"])
def test_no_sideways_scrolling_at_360_pixels(chromium, files, name):
    driver = open_page(chromium, files, name, width=360, height=740)
    click(driver, "Light or dark")
    assert run(driver, "return document.documentElement.scrollWidth") == 360
    run(driver, "for (const one of document.querySelectorAll('details')) one.open = true")
    assert run(driver, "return document.documentElement.scrollWidth") == 360


@pytest.mark.parametrize("name", ["report", "index"])
@pytest.mark.parametrize("look", ["light", "dark", "phone", "folded"])
def test_axe_finds_no_violation(chromium, files, name, look):
    if not AXE.is_file():
        pytest.skip("axe-core is not installed")
    width = 360 if look == "phone" else 1440
    driver = open_page(chromium, files, name, width=width, dark=look == "dark")
    if look != "folded":
        run(driver, "for (const one of document.querySelectorAll('details')) one.open = true")
        run(driver, "document.querySelector('#show-code')?.click()")
    run(driver, AXE.read_text(encoding="utf-8"))
    found = driver.execute_async_script(
        "const done = arguments[0]; axe.run().then((r) => done(r.violations), (e) => done([String(e)]))"
    )
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found] == []


def test_keyboard_reaches_what_scrolls_and_only_that(chromium, files):
    driver = open_page(chromium, files, "report", width=360, height=740)
    script = """return [...document.querySelectorAll(".scroll")]
      .filter((box) => box.hasAttribute("tabindex")).map((box) => box.parentNode.id)"""
    stops = run(driver, script)
    assert "table-rows" in stops
    assert "figure-forest" not in stops  # its form for phones fits
    open_page(chromium, files, "report")
    assert "figure-funnel" not in run(driver, script)


def pdf_of(driver, files):
    paper = {"paperWidth": 8.27, "paperHeight": 11.69, "printBackground": True}
    data = driver.execute_cdp_cmd("Page.printToPDF", {**paper, "preferCSSPageSize": True})["data"]
    path = files / "report.pdf"
    path.write_bytes(base64.b64decode(data))
    return path


def printed(driver, files):
    """The text of a printed page, pages parted by form feeds."""
    command = ["pdftotext", "-layout", pdf_of(driver, files), "-"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.skipif(not shutil.which("pdftotext"), reason="pdftotext is not installed")
def test_paper_has_every_figure_and_table_once_all_is_unfolded(report, files):
    folded = printed(report, files)
    assert "Figure 1." in folded and "Small-study effects" in folded and "Figure 2." not in folded
    click(report, "Unfold all, also for printing")
    text = printed(report, files)
    for words in (
        "Figure 1.",
        "reconstructed-locomotion-71",
        "Figure 2.",
        "1/√N",
        "Table 2.",
        "Row 7 lies outside the band.",
        "no evidence about exosomes",
    ):
        assert words in text
    pages = text.split("\f")
    # The forest plot stands on one page, from its first row to its caption.
    whole = [p for p in pages if "Figure 1." in p]
    assert len(whole) == 1
    assert "reconstructed-locomotion-00" in whole[0]
    assert "Show all code" not in text
    # Every row of the long table is there once more, and its header on every page it spans.
    assert text.count("reconstructed-locomotion-33") == 2
    spans = [p for p in pages if p.count("bone marrow")]
    assert len(spans) > 1
    assert all("origin" in p for p in spans)


def test_page_is_whole_without_scripts(chromium, files):
    driver = chromium
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        open_page(chromium, files, "report")
        body = driver.execute_cdp_cmd("DOM.getDocument", {"depth": 0})["root"]["nodeId"]
        html = driver.execute_cdp_cmd("DOM.getOuterHTML", {"nodeId": body})["outerHTML"]
    finally:
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert "<button" not in html
    assert html.count('download="') == 4
    assert html.count('<details class="fold') == 2
    assert 'id="show-code"' in html


# --- The index -------------------------------------------------------------------------------


def test_index_search_hides_what_does_not_match(index):
    script = """const field = document.querySelector("#search input");
      field.value = arguments[0]; field.dispatchEvent(new Event("input"));
      return [...document.querySelectorAll(".family tbody tr")].filter((row) => row.offsetParent)
        .map((row) => row.cells[0].textContent)"""
    assert run(index, script, "gfap") == ["GFAP"]
    assert run(index, script, "") == ["Locomotion (BBB or BMS)", "Cavity size", "GFAP"]


def test_index_says_what_failed(index):
    text = run(index, "return document.querySelector('#apoptosis').innerText")
    assert "FAILED" in text
    assert "no outcome is called 'bax2' <b>" in text


BLOCKS = page_sample.blocks_of_a_report()
