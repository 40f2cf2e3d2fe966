"""Questions to choose from: what is shown, and what the app's buttons ask."""

import html
import re

import pytest

from helpers.scenarios.questions.choices import show_choices
from helpers.scenarios.questions.questions import Question


@pytest.fixture
def shown(monkeypatch):
    """What was displayed, as (HTML, plain text)."""
    kept = []
    monkeypatch.setattr(
        "IPython.display.display",
        lambda data, raw: kept.append((data["text/html"], data["text/plain"])),
    )
    return kept


def test_each_question_is_shown_and_asked_as_it_is_stored(shown):
    texts = ['Is "a" < b & $c$?', "<script>alert('x')</script>"]
    show_choices("Or did you mean", [Question("", text, ["yes"]) for text in texts])
    ((rich, plain),) = shown
    asked = re.findall(r'data-ask="([^"]*)"', rich)
    assert [html.unescape(text) for text in asked] == texts
    assert "<script>" not in rich
    assert plain.splitlines() == ["Or did you mean", *(f"- {text}" for text in texts)]


def test_without_questions_there_is_nothing_to_choose(shown):
    show_choices("Or did you mean", [])
    assert shown == []
