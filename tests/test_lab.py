"""JupyterLab itself, in headless Chromium: the explorer from the first cell to the rendered report.

Everything happens in a copy of the project. Skipped where there is no Chromium, no chromedriver or
no selenium.
"""

import csv
import json
import os
import shutil
import subprocess
import sys
import time

import nbformat
import pytest

from helpers import Report
from helpers.review.description import PROJECT
from helpers.words.numbers import estimate_words

pytestmark = pytest.mark.browser
webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import Select, WebDriverWait  # noqa: E402

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
DRIVER = shutil.which("chromedriver")
if not (CHROMIUM and DRIVER):
    pytest.skip("there is no Chromium with chromedriver here", allow_module_level=True)

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--window-size=1400,1000")  # fmt: skip
PATIENCE = 120  # seconds for what takes two where nothing else runs
FAMILY = OUTCOME = "locomotion"
# The notebook that is opened: whose explorer is that of this family.
NOTEBOOK = "welcome" if (PROJECT / "notebooks" / "welcome.ipynb").is_file() else FAMILY
READY = """const shown = window.jupyterapp?.shell.currentWidget?.sessionContext;
  return shown?.isReady && shown.session?.kernel?.connectionStatus === "connected";"""
RAN = """const { content, sessionContext } = window.jupyterapp.shell.currentWidget;
  const cells = content.widgets.filter((cell) => cell.model.type === "code").map((cell) => cell.model);
  return cells.every((cell) => cell.executionCount || !cell.sharedModel.source)
    && sessionContext.session.kernel.status === "idle"
    && { failed: cells.flatMap((cell) => cell.outputs.toJSON())
      .filter((output) => output.output_type === "error") };"""
SHOW = """const { content } = window.jupyterapp.shell.currentWidget;
  const at = content.widgets.findIndex((cell) => cell.model.sharedModel.source.includes(".explore()"));
  content.scrollToItem(at, "start");"""


@pytest.fixture
def project(tmp_path):
    """A copy of the project, in which the notebook of the family ends with the explorer."""
    copy = tmp_path / "project"
    for name in ("helpers", "notebooks", "data"):
        shutil.copytree(PROJECT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "pyproject.toml", copy)
    (copy / "reports").mkdir()
    path = copy / "notebooks" / f"{FAMILY}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(f'report.outcome("{OUTCOME}").explore()'))
    nbformat.write(notebook, path)
    return copy


@pytest.fixture
def environment(project, tmp_path):
    """One that knows the copy, and nothing of this machine's Jupyter."""
    own = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_RUNTIME_DIR": "runtime",
           "JUPYTER_DATA_DIR": "data", "IPYTHONDIR": "ipython",
           "JUPYTERLAB_SETTINGS_DIR": "settings", "JUPYTERLAB_WORKSPACES_DIR": "spaces"}  # fmt: skip
    news = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    (tmp_path / "config" / "labconfig").mkdir(parents=True)
    (tmp_path / "config" / "labconfig" / "page_config.json").write_text(json.dumps(news))
    own = {name: str(tmp_path / folder) for name, folder in own.items()}
    return os.environ | own | {"PYTHONPATH": str(project)}


@pytest.fixture
def address(project, environment, tmp_path):
    """Where a JupyterLab on the copy listens; it is ended whatever happens."""
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
               "--expose-app-in-browser", "--ServerApp.ip=127.0.0.1", "--ServerApp.port=0",
               f"--ServerApp.root_dir={project}"]  # fmt: skip
    with open(tmp_path / "log", "w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        until = time.monotonic() + PATIENCE
        while not (found := list((tmp_path / "runtime").glob(f"jpserver-{server.pid}.json"))):
            assert server.poll() is None and time.monotonic() < until, (
                tmp_path / "log"
            ).read_text()
            time.sleep(0.1)
        told = json.loads(found[0].read_text())
        yield f"{told['url']}lab/tree/notebooks/{NOTEBOOK}.ipynb?token={told['token']}"
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@pytest.fixture
def chromium(tmp_path):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


class Explorer:
    """What a person sees and does there."""

    def __init__(self, driver):
        self.driver = driver

    def wait(self, what, said):
        return WebDriverWait(self.driver, PATIENCE, poll_frequency=0.1).until(
            lambda _: what(), said
        )

    def text(self, name):
        found = self.driver.find_elements(By.CSS_SELECTOR, f".explorer .{name}")
        return found[0].text if found else ""

    def becomes(self, name, words):
        self.wait(lambda: self.text(name) == words, f"{name} is {self.text(name)!r}, not {words!r}")

    def control(self, title, tag="select"):
        for one in self.driver.find_elements(
            By.CSS_SELECTOR, ".explorer-controls .widget-inline-hbox"
        ):
            labels = one.find_elements(By.CSS_SELECTOR, "label")
            if labels and labels[0].text == title:
                return one.find_element(By.CSS_SELECTOR, tag)
        raise AssertionError(f"there is no control {title}")

    def press(self, words):
        for one in self.driver.find_elements(By.CSS_SELECTOR, ".explorer-controls button"):
            if one.text == words:
                return one.click()
        raise AssertionError(f"there is no button {words}")

    def row(self, label):
        for one in self.driver.find_elements(By.CSS_SELECTOR, ".explorer .row"):
            if one.find_element(By.CSS_SELECTOR, ".label").text == label:
                self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", one)
                return one
        raise AssertionError(f"there is no row {label}")


def report(project, **settings):
    return Report(
        FAMILY,
        review=project / "data" / "sci_exosomes",
        outcomes=OUTCOME,
        moderators=[],
        **settings,
    )


def words(project, **settings):
    """The result of a report on the copy, in the words of the explorer."""
    one = report(project, **settings).analyses[OUTCOME]
    return estimate_words(one.leading, one.measure)


def test_from_the_notebook_to_the_rendered_report(project, environment, address, chromium):
    driver, seen = chromium, Explorer(chromium)
    out = "reconstructed-locomotion-03"
    plain, dl, without = words(project), words(project, method="DL"), words(project, exclude=[out])
    assert len({plain, dl, without}) == 3
    exact = report(project, exclude=[out]).analyses[OUTCOME].leading.estimate

    driver.get(address)
    seen.wait(lambda: driver.execute_script(READY), "JupyterLab has no kernel")
    driver.execute_script('window.jupyterapp.commands.execute("notebook:run-all-cells")')
    ran = seen.wait(lambda: driver.execute_script(RAN), "the notebook does not come to its end")
    assert ran["failed"] == []
    driver.execute_script(SHOW)
    seen.wait(lambda: seen.text("now"), "there is no explorer")
    assert seen.text("now") == plain and seen.text("was") == ""

    # A control, and back.
    Select(seen.control("τ² estimator")).select_by_visible_text("DL")
    seen.becomes("now", f"now {dl}")
    assert seen.text("was") == f"was {plain}"
    seen.press("Undo")
    seen.becomes("now", plain)

    # A row by the mouse, another by the keyboard and back.
    ActionChains(driver).click(seen.row("03")).perform()
    seen.becomes("now", f"now {without}")
    assert seen.row("03").get_attribute("aria-checked") == "false"
    assert "1 left out here" in seen.text("left-out") and f"'{out}'" in driver.execute_script(
        'return document.querySelector(".explorer .copies").textContent'
    )
    two = words(project, exclude=[out, "reconstructed-locomotion-04"])
    ActionChains(driver).send_keys(Keys.ARROW_DOWN, Keys.ENTER).perform()
    seen.becomes("now", f"now {two}")
    ActionChains(driver).send_keys(Keys.ENTER).perform()
    seen.becomes("now", f"now {without}")

    # The exclusion, refused without a reason.
    path = project / "data" / "sci_exosomes" / "exclusions.csv"
    before = path.read_bytes()
    seen.control("By", "input").send_keys("A. Doe")
    seen.press("Write to exclusions.csv")
    status = driver.find_element(By.CSS_SELECTOR, ".explorer-status")
    seen.wait(lambda: "`reason` is empty" in status.text, "no reason, and no refusal")
    assert path.read_bytes() == before
    seen.control("Reason", "input").send_keys("the animals fell ill")
    seen.press("Write to exclusions.csv")
    seen.wait(lambda: status.text.startswith(f"Written: {out}."), "nothing was written")
    assert path.read_bytes().startswith(before)
    *_, last = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    assert last == {"experiment": out, "reason": "the animals fell ill", "by": "A. Doe"}
    assert seen.row("03").get_attribute("aria-disabled") == "true"

    # Nothing came from elsewhere, and nothing went wrong unseen.
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    asked = [m["params"]["request"]["url"] for m in messages
             if m["method"] == "Network.requestWillBeSent"]  # fmt: skip
    host = address.split("/lab/")[0]
    assert [url for url in asked if url.startswith("http") and not url.startswith(host)] == []
    assert [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"] == []

    # The report with that exclusion has the same number, and nothing of the explorer.
    render = [sys.executable, "-m", "helpers", "render", FAMILY, "--out", str(project / "reports")]
    subprocess.run(
        render, cwd=project, env=environment, check=True, capture_output=True, timeout=300
    )
    html = (project / "reports" / f"{FAMILY}.html").read_text(encoding="utf-8")
    results = json.loads((project / "reports" / f"{FAMILY}.json").read_text(encoding="utf-8"))
    assert without in html and results["outcomes"][OUTCOME]["leading"]["estimate"] == exact
    assert "explore()" not in html and "jupyter.widget" not in html
