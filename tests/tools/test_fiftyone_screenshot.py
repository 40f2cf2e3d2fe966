"""The tool that photographs FiftyOne's App, as far as that goes without a browser."""

import json
import subprocess
import sys

import fiftyone_screenshot
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


def test_a_picture_takes_as_many_colours_as_fit(tmp_path, monkeypatch):
    plain = Image.linear_gradient("L").convert("RGB")
    fiftyone_screenshot.save_small(plain, tmp_path / "docs" / "plain.png")
    assert len(Image.open(tmp_path / "docs" / "plain.png").getcolors()) > 128
    monkeypatch.setattr(fiftyone_screenshot, "MAX_BYTES", 20_000)  # a byte each is 25,600
    size = fiftyone_screenshot.save_small(NOISE, tmp_path / "noise.png")
    assert size == (tmp_path / "noise.png").stat().st_size <= 20_000
    monkeypatch.setattr(fiftyone_screenshot, "MAX_BYTES", 5_000)
    with pytest.raises(HelpfulError, match="smaller --size"):
        fiftyone_screenshot.save_small(NOISE, tmp_path / "large.png")
    assert not (tmp_path / "large.png").exists()


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
