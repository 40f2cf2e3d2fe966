"""The tool that photographs FiftyOne's App, as far as that goes without a browser."""

import io
import json
import subprocess
import sys

import fiftyone_screenshot
import nbformat
import numpy as np
import pytest
from PIL import Image

from helpers.errors import HelpfulError
from tests.services_world import is_running

NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (160, 160, 3), np.uint8))


def test_a_browser_is_found_on_the_path(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HelpfulError, match="no Chromium or Chrome"):
        fiftyone_screenshot.find_browser()
    (tmp_path / "google-chrome").write_text("#!/bin/sh")
    (tmp_path / "google-chrome").chmod(0o755)
    assert fiftyone_screenshot.find_browser() == str(tmp_path / "google-chrome")


def test_a_picture_is_as_good_as_fits(monkeypatch):
    plain = Image.linear_gradient("L").convert("RGB")
    assert Image.open(io.BytesIO(fiftyone_screenshot.as_jpeg(plain))).size == plain.size
    best = len(fiftyone_screenshot.as_jpeg(NOISE))
    monkeypatch.setattr(fiftyone_screenshot, "MAX_BYTES", best - 1)
    assert len(fiftyone_screenshot.as_jpeg(NOISE)) < best
    monkeypatch.setattr(fiftyone_screenshot, "MAX_BYTES", 5_000)
    with pytest.raises(HelpfulError, match="smaller --size"):
        fiftyone_screenshot.as_jpeg(NOISE)


def test_pictures_go_to_the_cells_that_show_them(tmp_path):
    first, second = "![One](attachment:a.jpg)\n![Two](attachment:b.jpg)", "See a.jpg"
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell(text) for text in (first, second)]
    )
    file = tmp_path / "book.ipynb"
    nbformat.write(book, file)
    fiftyone_screenshot.attach(file, {"a.jpg": b"A", "b.jpg": b"B"})
    filled = nbformat.read(file, 4)
    nbformat.validate(filled)
    assert filled.cells[0].attachments == {
        "a.jpg": {"image/jpeg": "QQ=="},
        "b.jpg": {"image/jpeg": "Qg=="},
    }
    assert "attachments" not in filled.cells[1]
    before = file.read_text()
    with pytest.raises(HelpfulError, match="shows c.jpg"):
        fiftyone_screenshot.attach(file, {"a.jpg": b"A", "c.jpg": b"C"})
    assert file.read_text() == before


def test_what_was_started_is_ended_after_an_error():
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    with pytest.raises(ZeroDivisionError), fiftyone_screenshot._running(command) as process:
        assert is_running(process.pid)
        1 / 0  # noqa: B018
    assert not is_running(process.pid)


def test_a_program_that_ends_at_once_is_named():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    with pytest.raises(HelpfulError, match="The App did not start"):
        fiftyone_screenshot._wait(lambda: None, process, "The App did not start")


def test_answers_to_other_questions_are_passed_over():
    class Tab:
        def __init__(self):
            self.sent, self.news = [], [{"method": "Page.loaded"}, {"id": 1, "result": {"a": 1}}]

        def send(self, text):
            self.sent.append(json.loads(text))

        def recv(self):
            return json.dumps(self.news.pop(0))

    tab = Tab()
    assert fiftyone_screenshot._ask(tab, "Page.navigate", url="x") == {"a": 1}
    assert tab.sent == [{"id": 1, "method": "Page.navigate", "params": {"url": "x"}}]
