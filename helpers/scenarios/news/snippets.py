"""Where the words of a query stand in a text, and the words that no search should count."""

import re
import unicodedata
from collections.abc import Iterable

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
# Ending -> the letters that must be left: "bus" is not the plural of "bu", nor "caring" of "car".
_ENDINGS = {"ingly": 4, "edly": 4, "ing": 4, "ed": 4, "es": 3, "ly": 4, "s": 3, "e": 3}


def matches(text: str, query: str) -> list[tuple[int, int]]:
    """Where the words of a query stand in a text, as (start, end) positions of characters.

    Stop words do not count; upper case, accents and common English endings make no difference.
    """
    wanted = set(stems(query))
    return [found.span() for found in _WORD.finditer(text) if stem(found[0]) in wanted]


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
