"""Every app in a real browser, on what the notebooks have stored; see ``cases.py``.

``make test`` runs this after the notebooks. It needs Chromium on the PATH. The pictures of the
pages are kept in ``build/apps``.
"""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cases import CASES
from fiftyone_screenshot import find_browser
from program import has_app

from helpers.errors import HelpfulError
from helpers.paths import ROOT, build_folder

pytestmark = pytest.mark.browser
sync_api = pytest.importorskip("playwright.sync_api")
NAMES = [path.stem for path in sorted((ROOT / "notebooks").glob("*.ipynb")) if has_app(path)]
PICTURES = build_folder() / "apps"
SOON = 5  # seconds until a page can be used that somebody has opened before


@pytest.fixture(scope="module")
def address():
    """Where all apps are served."""
    env = {k: v for k, v in os.environ.items() if k not in ("MILVUS_URI", "REDIS_URL")}
    process = subprocess.Popen(
        [sys.executable, ROOT / "tools" / "apps", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env=env,
    )
    try:
        yield re.search(r"http://\S+", process.stdout.readline())[0].rstrip("/")
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def browser():
    try:
        chromium = find_browser()
    except HelpfulError as error:
        pytest.skip(f"{error} (Debian: apt install chromium)")
    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def tab(browser):
    """A tab that fails the test when its page logs an error."""
    tab = browser.new_page(viewport={"width": 1400, "height": 900})
    errors = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.on("console", lambda said: said.type == "error" and errors.append(said.text))
    yield tab
    tab.close()
    assert not errors


def open_app(tab, address, name):
    """Open an app and wait until its first button can be pressed; seconds until then."""
    began = time.monotonic()
    tab.goto(f"{address}/{name}")
    tab.locator("form button[type=submit]").first.wait_for(timeout=600_000)
    return time.monotonic() - began


def do(tab, number, step):
    """Fill in form ``number`` and press its button; the answer's text and its pictures' texts."""
    form = tab.locator("form[data-name]").nth(number)
    kept = form.get_attribute("data-keep") is not None
    result = tab.locator(f"#result-{number}" if kept else "#result")
    before = int(result.get_attribute("data-answers") or 0)
    if "example" in step:
        form.locator("[data-example]").filter(has_text=step["example"]).first.click()
    else:
        for name, value in step.items():
            fill(form, name, value)
        form.locator("button[type=submit]").click()
    more = "([one, before]) => Number(one.dataset.answers || 0) > before"
    tab.wait_for_function(more, arg=[result.element_handle(), before], timeout=120_000)
    last = result.locator(":scope > div").last
    said = last.locator("img").evaluate_all("all => all.map(one => one.alt).join(' ')")
    return f"{last.inner_text()}\n{said}"


def fill(form, name, value):
    field = form.locator(f"[name='{name}']").first
    kind = field.evaluate("one => one.type")
    if kind == "file":
        field.set_input_files({"name": value[0], "mimeType": "", "buffer": value[1]})
    elif kind == "select-one":
        field.select_option(label=value)
    elif kind == "range":
        field.evaluate(
            "(one, value) => { one.value = value; one.dispatchEvent(new Event('change')) }", value
        )
    else:
        field.fill(str(value))


def test_every_app_has_its_cases():
    assert set(CASES) == set(NAMES)
    for name, steps in CASES.items():
        assert len(steps) >= 2, f"{name}: a right input and a wrong one"


def test_one_page_lists_them_all(tab, address):
    tab.goto(address)
    assert tab.locator(".cards li").count() == len(NAMES)
    loaded = "() => [...document.images].every(one => one.complete && one.naturalWidth > 100)"
    tab.wait_for_function(loaded)
    tab.screenshot(path=PICTURES / "all.png", full_page=True)


@pytest.mark.parametrize("name", NAMES)
def test_an_app_answers(tab, address, name):
    seconds = open_app(tab, address, name)
    print(f"{name} could be used after {seconds:.1f} s")  # pytest -rP shows it
    for number, step, shown in CASES[name]:
        text = do(tab, number, step)
        assert re.search(shown, text, re.I | re.S), f"{step}: {text[:1000]}"
        if step is CASES[name][0][1]:
            keep_pictures(tab, name)
            assert " ms" in text


def keep_pictures(tab, name):
    """Pictures of a page, wide and narrow, light and dark; nothing sticks out sideways."""
    for width, scheme in ((1400, "light"), (400, "dark")):
        tab.set_viewport_size({"width": width, "height": 900})
        tab.emulate_media(color_scheme=scheme)
        tab.screenshot(path=PICTURES / f"{name}_{width}_{scheme}.png", full_page=True)
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
    tab.set_viewport_size({"width": 1400, "height": 900})
    tab.emulate_media(color_scheme="light")


@pytest.mark.parametrize("name", NAMES)
def test_a_page_can_be_used_by_keyboard_and_screen_reader(tab, address, name):
    open_app(tab, address, name)
    unnamed = """() => [...document.querySelectorAll('input, select, textarea, button')]
        .filter(one => one.offsetParent && !(one.labels?.length || one.textContent.trim()))
        .map(one => one.outerHTML)"""
    assert tab.evaluate(unnamed) == []
    reached = set()
    for _ in range(150):
        tab.keyboard.press("Tab")
        reached.add(tab.evaluate("document.activeElement.id || document.activeElement.innerText"))
    wanted = tab.locator("form input, form select, form textarea, form button").evaluate_all(
        "all => all.filter(one => one.offsetParent).map(one => one.id || one.innerText)"
    )
    assert set(wanted) <= reached
    assert tab.locator("h1").count() == 1 and tab.locator("html").get_attribute("lang") == "en"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_have_enough_contrast(tab, address, scheme):
    """By the measure of WCAG 2.2, at least 4.5 to 1 for every text of a page."""
    open_app(tab, address, "01_image_search")
    tab.emulate_media(color_scheme=scheme)
    ratios = tab.evaluate(Path(__file__).with_name("contrast.js").read_text(encoding="utf-8"))
    assert len(ratios) > 10 and min(ratio for _, ratio in ratios) >= 4.5, sorted(ratios)[:3]


@pytest.mark.parametrize("name", ["01_image_search", "07_question_answering"])
def test_ten_tabs_at_once_get_their_own_answers(browser, address, name):
    tabs = [browser.new_page() for _ in range(10)]
    for tab in tabs:
        open_app(tab, address, name)
    examples = tabs[0].locator("form [data-example]").all_inner_texts()
    alone = {one: do(tabs[0], 0, {"example": one}) for one in examples}
    for n, tab in enumerate(tabs):
        form = tab.locator("form[data-name]").first
        form.locator("[data-example]").filter(has_text=examples[n % len(examples)]).first.click()
    for n, tab in enumerate(tabs):
        result = tab.locator("section.result:has(.time)").first
        result.wait_for(timeout=60_000)
        tab.wait_for_function("() => !document.querySelector('[aria-busy]')", timeout=60_000)
        text = result.locator(":scope > div").last.inner_text()
        timeless = re.compile(r"[\d,]+ ms.*")
        images = result.locator(":scope > div").last.locator("img")
        text += "\n" + images.evaluate_all("all => all.map(one => one.alt).join(' ')")
        assert timeless.sub("", text) == timeless.sub("", alone[examples[n % len(examples)]])
        tab.close()


@pytest.mark.parametrize("name", NAMES)
def test_the_second_visitor_need_not_wait(browser, address, name):
    for least in (600, SOON):
        tab = browser.new_page()
        seconds = open_app(tab, address, name)
        tab.close()
        assert seconds < least


def test_a_file_that_is_too_large_is_refused_and_the_next_is_taken(tab, address, tmp_path):
    open_app(tab, address, "01_image_search")
    large = tmp_path / "large.jpg"
    with large.open("wb") as file:
        file.truncate(101_000_000)
    form = tab.locator("form[data-name]").first
    form.locator("input[type=file]").set_input_files(large)
    form.locator("button[type=submit]").click()
    said = tab.locator("#result .mistake")
    said.wait_for()
    assert "101 MB" in said.inner_text() and "at most 100 MB" in said.inner_text()
    assert "bird 0" in do(tab, 0, {"example": "a new bird"})


def test_an_answer_belongs_to_the_question_above_it(tab, address):
    open_app(tab, address, "01_image_search")
    assert "bird 0" in do(tab, 0, {"example": "a new bird"})
    text = do(tab, 0, {"chosen": ("x.jpg", b"no picture")})
    assert "bird" not in text and tab.locator("#result > div").count() == 1


def test_a_server_that_has_gone_is_said(browser, tmp_path):
    process = subprocess.Popen(
        [sys.executable, ROOT / "tools" / "apps", "--port", "0", "01_image_search"],
        stdout=subprocess.PIPE,
        text=True,
    )
    page = re.search(r"http://\S+", process.stdout.readline())[0]
    tab = browser.new_page()
    tab.goto(page)
    tab.locator("form button[type=submit]").first.wait_for(timeout=60_000)
    process.terminate()
    process.wait(30)
    tab.locator("form button[type=submit]").first.click()
    said = tab.locator("#result .mistake")
    said.wait_for()
    assert "The server does not answer" in said.inner_text()
    tab.close()
