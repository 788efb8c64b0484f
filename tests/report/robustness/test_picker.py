"""The picker of a specification curve, in headless Chromium: what is drawn is what is picked."""

import shutil

import nbformat
import pytest

from helpers import Report
from helpers.page import document
from helpers.words.robustness import specifications as words

pytestmark = pytest.mark.browser
webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
DRIVER = shutil.which("chromedriver")
if not (CHROMIUM and DRIVER):
    pytest.skip("there is no Chromium with chromedriver here", allow_module_level=True)


@pytest.fixture(scope="module")
def report():
    return Report("histology", outcomes="cavity_size")


@pytest.fixture(scope="module")
def page(report, tmp_path_factory):
    block = report.outcome("cavity_size").specifications()
    cell = nbformat.v4.new_code_cell("1")
    cell.outputs = [nbformat.v4.new_output("display_data", block._repr_mimebundle_())]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# One"), cell])
    path = tmp_path_factory.mktemp("picker") / "page.html"
    path.write_text(document.export(book), encoding="utf-8")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in ("--headless", "--no-sandbox", "--disable-gpu", "--window-size=1200,900"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    driver.get(path.as_uri())
    yield driver
    driver.quit()


@pytest.fixture
def picker(page):
    page.refresh()
    found = page.find_element("css selector", "details.picker")
    found.find_element("css selector", "summary").send_keys("\n")
    return found


def status(picker):
    return picker.find_element("css selector", "[role=status]").text


def part(report, measure, **choices):
    (found,) = report.specifications.values()
    table = found.table[(found.table["measure"] == measure) & (found.table["reason"] == "")]
    for name, value in choices.items():
        table = table[table[name] == value]
    return table, words.conclusions(table, found.measures)


def test_it_draws_all_of_the_leading_measure_and_counts_them(report, picker):
    table, said = part(report, "SMD")
    assert status(picker).startswith(f"{len(table)} of {len(table)} are drawn.")
    beneficial = (said[table["principled"]] == "benefit").sum()
    assert f"favouring exosomes in {beneficial}" in status(picker)
    assert len(picker.find_elements("css selector", ".drawn svg")) == 1


def test_another_measure_and_equals_only_by_the_keyboard(report, page, picker):
    page.find_element("css selector", "input[name=measure][value=ROM]").send_keys(" ")
    table, _ = part(report, "ROM")
    assert status(picker).startswith(f"{len(table)} of")
    page.find_element("css selector", "input[name=principled]").send_keys(" ")
    table, said = part(report, "ROM", principled=True)
    assert status(picker).startswith(f"{len(table)} of") and "Only shown" not in status(picker)
    assert f"in {(said == 'benefit').sum()}" in status(picker)


def test_a_choice_that_is_taken_off_is_not_drawn(report, page, picker):
    page.find_element("css selector", "input[name=variance][value=stata]").send_keys(" ")
    table, _ = part(report, "SMD")
    left = (table["variance"] != "stata").sum()
    assert 0 < left < len(table) and status(picker).startswith(f"{left} of {len(table)}")
    strokes = picker.find_elements("css selector", ".drawn svg path[stroke='#808080']")
    grey = (table["variance"] != "stata") & ~table["principled"]
    assert strokes[0].get_attribute("d").count("M") == grey.sum()


def test_nothing_is_said_on_the_console(page, picker):
    assert [one for one in page.get_log("browser") if one["level"] == "SEVERE"] == []
