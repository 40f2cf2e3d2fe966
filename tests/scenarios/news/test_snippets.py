"""Where the words of a query stand: endings, accents, hyphens, and everything that people type."""

import time

import pytest

from helpers.scenarios.news.snippets import STOP_WORDS, matches, stem, stems


def marked(text, query):
    return [text[start:end] for start, end in matches(text, query)]


@pytest.mark.parametrize(
    ("text", "query", "found"),
    [
        ("CAFÉS in Zürich were closed", "cafe zurich closing", ["CAFÉS", "Zürich", "closed"]),
        ("To be or not to be", "to be or not to be", []),
        ("The anti-corruption drive of France's judges", "corruption france",
         ["corruption", "France"]),
        ("مرحبا بالعالم الجميل", "بالعالم", ["بالعالم"]),
        ("It rained 🙂 all day", "🙂", []),
        ("", "word", []),
        ("word", "", []),
    ],
)  # fmt: skip
def test_matches(text, query, found):
    assert marked(text, query) == found


def test_a_very_long_text_takes_no_very_long_time():
    started = time.perf_counter()
    assert marked("word " * 20_000 + "needle", "needle") == ["needle"]
    matches("a" * 100_000, "a b")
    assert time.perf_counter() - started < 5


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
