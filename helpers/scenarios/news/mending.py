"""Undo what a wrong encoding did to the news articles of ``helpers.scenarios.news.articles``."""

import re
from collections import Counter

from helpers.encoders.text import clean_text

# Words that lost a letter, two bytes of UTF-8 each: the commonest of the data, filled in by hand.
_WHOLE = re.findall(
    r"\w+",
    "gardaí Gardaí Féin Dáil Fáil Síochána Beyoncé Tánaiste Iarnród Nóirín Théo Seán Gréco Ciarán "
    "Düsseldorf Micheál Reichsbürger Süddeutsche Müller Trócaire Róisín Fürth cafés café Gutiérrez",
)
_BROKEN = {re.sub(r"[^\x00-\x7f]", "��", word): word for word in _WHOLE}
_BROKEN_WORD = re.compile(r"(?:[^\W\d_]|�)*��(?:[^\W\d_]|�)*")

# (kind, what it looks like, what it was). A typographic mark of three bytes became a quotation mark
# and a "?" or "�"; that took the place of the blank, too, where there was one.
_RULES = [
    ("doubled quotation marks", re.compile('""+'), '"'),
    ("apostrophes", re.compile(r'(?<=\w)"(?=(?:t|ve)\b)|(?<=\bO)"�(?=[A-Z])'), "'"),
    ("apostrophes", re.compile(r"(?i)\b(they|we|you)'r(?=\s)"), r"\1're"),
    ("dashes", re.compile(r'(^|\s)"\? ?(?=[^\W\d])'), r"\1– "),
    ("dashes", re.compile(r'(?<=\w)"�(?=[a-z])'), " – "),
    ("quotation marks", re.compile(r'(?<=[,.!?-])"\?(?=\s|$|[,.")-])'), '"'),
    ("quotation marks", re.compile(r'(?<=[,.!?-])"\?'), '" '),
    ("quotation marks", re.compile(r'"�(?=[^\W_]|\[|\$)'), '"'),
    ("euro signs", re.compile(r"(?<!\w)�(?=\d)"), "€"),
    ("blanks", re.compile(r"(?<=[.,:;!?])-(?=\s|$|[A-Z\"])|[\xa0\u200b]|(?<=\(CNN\))(?=\S)"), " "),
]
_CLOSING = re.compile(r'(?<=\w)"[?�](?=[\w(\xa0 -])')


def mend(text: str, counts: Counter | None = None) -> str:
    """Undo what a wrong encoding did to a text, as far as it can be told what stood there.

    Args:
        text: a title or an article.
        counts: where to count what was mended, by kind.
    """
    counts = Counter() if counts is None else counts
    for kind, pattern, right in _RULES:
        # Not the changed length: a rule may put as much as it takes.
        text, places = pattern.subn(right, text)
        counts[kind] += places
    text = _mend_closing(text, counts)
    if "��" in text:
        text = _BROKEN_WORD.sub(lambda broken: _mend_word(broken[0], counts), text)
    return tidy(text)


def _mend_closing(text: str, counts: Counter) -> str:
    """Tell a closing quotation mark from an apostrophe (teachers' unions): was one opened?"""
    done, pieces, is_open = 0, [], False
    for place in _CLOSING.finditer(text):
        before = text[done : place.start()]
        if place[0] == '"?' and text[place.end()] == " ":
            continue  # a question mark after a quotation, as it should be
        is_open ^= before.count('"') % 2 == 1
        pieces += [before, '" ' if is_open else "' "]
        counts["quotation marks" if is_open else "apostrophes"] += 1
        done, is_open = place.end(), False
    return "".join(pieces) + text[done:]


def _mend_word(broken: str, counts: Counter) -> str:
    whole = _BROKEN.get(broken)
    counts["lost letters, filled in"] += bool(whole)
    counts["lost letters, shown as �"] += not whole
    return whole or broken.replace("��", "�")


def tidy(text: str) -> str:
    """A clean text with one blank between words, which Milvus can store."""
    whole = text.encode("utf-8", "replace").decode()  # half characters (lone surrogates) cannot be
    return " ".join(clean_text(whole).split())
