"""The part of a text that answers a query best, and where the query's words stand in it."""

import re
import unicodedata
from collections.abc import Iterable

from helpers.show import Passage, show_passages

# English words that say little about what a text is about: articles, pronouns, prepositions,
# auxiliary verbs, and what is left of "don't" where a text is cut at apostrophes.
_WORD = re.compile(r"\w+")
STOP_WORDS = frozenset(
    _WORD.findall(
        """a about after again against all also am an and any are as at be because been before being
        below between both but by can could d did do does doing don down during each few for from
        further had has have having he her here hers him his how i if in into is it its just ll m me
        more most my no nor not now of off on once only or other our out over own re s same she
        should so some such t than that the their them then there these they this those through to
        too under until up ve very was we were what when where which while who whom why will with
        would you your"""
    )
)
_SENTENCE = re.compile(r"(?:^|[.!?][\"')\]]*\s+)(?=\S)")
# Ending -> the letters that must be left: "bus" is not the plural of "bu", nor "caring" of "car".
_ENDINGS = {"ingly": 4, "edly": 4, "ing": 4, "ed": 4, "es": 3, "ly": 4, "s": 3, "e": 3}


def snippet(text: str, query: str, words: int = 40) -> Passage:
    """The stretch of at most ``words`` words that holds the most different words of a query.

    Among equals it is one that begins a sentence, then one that repeats them most, then the first.
    Where no word of the query occurs, as with a hit by meaning alone, it is the text's beginning.
    Stop words do not count; upper case, accents and common English endings make no difference.

    Args:
        text: a text of any length and in any script.
        query: what was searched for.
        words: the length of the snippet, at least 1.

    Returns:
        The stretch with "…" where it was cut, and the query's words in it as spans.

    Raises:
        ValueError: ``words`` is less than 1.
    """
    if words < 1:
        raise ValueError(f"a snippet needs at least one word, not {words}")
    wanted = set(stems(query))
    # Words as readers count them, blanks between: "don't" is one, though it is cut for comparing.
    # Where nobody writes blanks, as in Chinese, so many letters count as a word.
    places = [found.span() for found in re.finditer(r"\S{1,30}", text)]
    if not places:
        return Passage("", spans=[])
    matches = [wanted & set(stems(text[start:end])) for start, end in places]
    sentences = {found.end() for found in _SENTENCE.finditer(text)}

    def rank(first: int) -> tuple[int, bool, int]:
        inside = [one for match in matches[first : first + words] for one in match]
        return len(set(inside)), places[first][0] in sentences, len(inside)

    first = max(range(max(1, len(places) - words + 1)), key=rank)
    shown = places[first : first + words]
    start, end = shown[0][0], shown[-1][1]
    before, after = "… " * (first > 0), " …" * (first + words < len(places))
    piece = text[start:end]
    spans = [
        (found.start() + len(before), found.end() + len(before))
        for found in _WORD.finditer(piece)
        if stem(found[0]) in wanted
    ]
    return Passage(before + piece + after, spans=spans)


def show_snippets(query: str, found: Iterable[Passage], words: int = 40) -> None:
    """Show what a search found, each text cut to the snippet that answers the query.

    Args:
        query: what was searched for.
        found: passages with their whole texts, best first.
        words: the length of a snippet.
    """
    shown = [
        snippet(one.text, query, words)._replace(title=one.title, note=one.note) for one in found
    ]
    if shown:
        show_passages(shown)
    else:
        print("Nothing found: no text here has a word of this query, stop words aside.")


def stems(text: str) -> Iterable[str]:
    """The words of a text in a form that can be compared, without stop words."""
    for found in _WORD.finditer(text):
        if found[0].casefold() not in STOP_WORDS:
            yield stem(found[0])


def stem(word: str) -> str:
    """A word in lower case without accents and common English endings, for comparing only."""
    letters = unicodedata.normalize("NFKD", word.casefold())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    for ending, least in _ENDINGS.items():
        if plain.endswith(ending) and len(plain) - len(ending) >= least:
            return plain.removesuffix(ending)
    return plain
