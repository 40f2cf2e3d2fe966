"""Passages side by side: what is in which column."""

from helpers.scenarios.news.columns import show_columns
from helpers.show import Passage


def test_each_column_has_its_heading_and_passages_with_marks(monkeypatch):
    kept = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: kept.append(data))
    one = Passage("a new robot & b", "Robots", "BBC", spans=[(6, 11)])
    show_columns({"By words": [one], "By meaning": [Passage("none")]})
    rich = kept[0]["text/html"]
    first, second = rich.split("<h3>")[1:]
    assert first.startswith("By words</h3>") and "<b>Robots</b>" in first
    assert "a new <mark><b>robot</b></mark> &amp; b<br><i>BBC</i>" in first
    assert second.startswith("By meaning</h3>") and "none" in second and "robot" not in second
    plain = kept[0]["text/plain"].split("\n\n")
    assert plain == ["BY WORDS", "Robots\nBBC\na new robot & b", "BY MEANING", "none"]
