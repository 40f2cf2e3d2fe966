"""Snippets: the right window, the right marks, and everything that people type."""

import time

import pytest

from helpers.scenarios.news.snippets import STOP_WORDS, show_snippets, snippet, stem, stems
from helpers.show import Passage

LONG = " ".join(f"filler{n}" for n in range(100))


def marked(found):
    return [found.text[start:end] for start, end in found.spans]


def test_the_window_with_most_different_words_of_the_query_wins():
    text = f"Cats, cats and cats. {LONG} Here a dog met a cat on a roof. {LONG}"
    found = snippet(text, "cat dog", words=10)
    assert marked(found) == ["dog", "cat"]
    assert found.text.startswith("… ")
    assert found.text.endswith(" …")


def test_a_window_that_begins_a_sentence_is_preferred():
    found = snippet(f"{LONG}. The judge blocked the ban on Monday. {LONG}", "judge ban", words=12)
    assert found.text.startswith("… The judge blocked the ban")


def test_a_short_text_is_shown_whole_and_unmarked_without_a_match():
    assert snippet("Rain is likely.", "zebra") == Passage("Rain is likely.", spans=[])


def test_without_a_match_the_beginning_is_shown():
    found = snippet(LONG, "zebra", words=3)
    assert found == Passage("filler0 filler1 filler2 …", spans=[])


def test_no_snippet_is_longer_than_asked():
    for words in (1, 2, 40, 99):
        shown = snippet(LONG, "filler50 filler90", words).text.replace("…", "").split()
        assert len(shown) == words


def test_spans_fit_the_text_when_it_was_cut_in_front():
    found = snippet(f"{LONG} an electric eel", "eel", words=3)
    assert marked(found) == ["eel"]


def test_endings_accents_and_case_make_no_difference():
    assert marked(snippet("CAFÉS in Zürich were closed", "cafe zurich closing")) == [
        "CAFÉS",
        "Zürich",
        "closed",
    ]


def test_stop_words_are_never_marked():
    assert snippet("To be or not to be", "to be or not to be").spans == []


def test_words_inside_hyphens_and_apostrophes_are_marked():
    assert marked(snippet("The anti-corruption drive of France's judges", "corruption france")) == [
        "corruption",
        "France",
    ]


def test_right_to_left_text_and_emoji():
    assert marked(snippet("مرحبا بالعالم الجميل", "بالعالم")) == ["بالعالم"]
    assert snippet("It rained 🙂 all day", "🙂").spans == []


@pytest.mark.parametrize("text", ["中国的历史很长" * 9_000, "x" * 60_000])
def test_a_text_without_blanks_is_cut_too(text):
    assert snippet(text, "history").text == f"{text[: 40 * 30]} …"


@pytest.mark.parametrize("text", ["", "   \n"])
def test_an_empty_text_gives_an_empty_snippet(text):
    assert snippet(text, "word") == Passage("", spans=[])


def test_a_very_long_text_takes_no_very_long_time():
    started = time.perf_counter()
    found = snippet("word " * 20_000 + "needle", "needle")
    assert marked(found) == ["needle"]
    snippet("a" * 100_000, "a b")
    assert time.perf_counter() - started < 5


def test_less_than_one_word_is_refused():
    with pytest.raises(ValueError, match="at least one word, not 0"):
        snippet("text", "query", words=0)


@pytest.mark.parametrize(
    ("word", "same"),
    [
        ("elected", "elect"),
        ("votes", "vote"),
        ("bus", "bus"),
        ("Élysée", "elysee"),
        ("bans", "ban"),
    ],
)
def test_stem(word, same):
    assert stem(word) == stem(same)


def test_stem_leaves_short_words_and_tells_others_apart():
    assert stem("red") == "red"
    assert stem("bus") != stem("bush")


def test_stems_leave_out_stop_words():
    assert list(stems("The judge and HIS bans")) == ["judg", "ban"]
    assert "the" in STOP_WORDS and "judge" not in STOP_WORDS


def test_show_snippets_cuts_each_text_and_keeps_title_and_note(capsys):
    show_snippets("needle", [Passage(f"{LONG} a needle", "Title", "Source, 2017-02-07")], words=5)
    shown = capsys.readouterr().out
    assert "Title" in shown and "[needle]" in shown and "Source" in shown
    assert "filler0" not in shown


def test_show_snippets_says_so_when_nothing_was_found(capsys):
    show_snippets("the", [])
    assert "Nothing found" in capsys.readouterr().out
