"""Passages with their spans marked, in HTML and in plain text."""

import pytest

from helpers.show import Passage, show_passages


@pytest.fixture
def shown(monkeypatch):
    seen = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: seen.append(data))

    def show(*passages):
        show_passages(passages)
        return seen[-1]

    return show


def test_spans_are_marked_in_both_forms(shown):
    data = shown(Passage("The answer is 42 today.", "Title", "a note", [(14, 16)]))
    assert data["text/plain"] == "Title\nThe answer is [42] today.\na note"
    assert "The answer is <mark><b>42</b></mark> today." in data["text/html"]


def test_text_is_never_taken_for_html(shown):
    data = shown(Passage("<script>x</script> & y", "<b>", "</p>", [(0, 8)]))
    assert "<script" not in data["text/html"] and "&amp; y" in data["text/html"]
    assert data["text/html"].count("</p>") == 1


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], "abcdef"),
        ([(3, 5), (0, 1)], "[a]bc[de]f"),
        ([(0, 4), (2, 6)], "[abcd][ef]"),
        ([(1, 5), (2, 3)], "a[bcde]f"),
        ([(2, 2)], "abcdef"),
    ],
)
def test_spans_in_any_order_lose_no_letter(shown, spans, expected):
    assert shown(Passage("abcdef", spans=spans))["text/plain"] == expected


def test_passages_stand_one_below_the_other(shown):
    data = shown(Passage("one"), Passage("two"))
    assert data["text/plain"] == "one\n\ntwo"
    assert data["text/html"] == '<p dir="auto">one</p><p dir="auto">two</p>'
