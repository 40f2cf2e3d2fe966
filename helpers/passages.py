"""Passages of text as results: a title, the text with what matters marked, and a note."""

import html
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Passage(NamedTuple):
    """One text to show.

    Attributes:
        text: what to read.
        title: a line above it, in bold.
        note: a line below it, such as a source or a score.
        spans: (start, end) character positions of what to mark in the text.
    """

    text: str
    title: str = ""
    note: str = ""
    spans: Sequence[tuple[int, int]] = ()


def show_passages(passages: Iterable[Passage]) -> None:
    """Show passages one below the other, with their spans marked."""
    from IPython.display import display

    passages = list(passages)
    # Marks are bold too, because some pages that show notebooks strip the colour.
    rich = "".join(_rich(passage) for passage in passages)
    plain = "\n\n".join(_plain(passage) for passage in passages)
    display({"text/html": rich, "text/plain": plain}, raw=True)


def _rich(passage: Passage) -> str:
    pieces = _pieces(passage)
    text = "".join(
        f"<mark><b>{html.escape(piece)}</b></mark>" if marked else html.escape(piece)
        for piece, marked in pieces
    )
    title = f"<b>{html.escape(passage.title)}</b><br>" if passage.title else ""
    note = f"<br><i>{html.escape(passage.note)}</i>" if passage.note else ""
    return f"<p>{title}{text}{note}</p>"


def _plain(passage: Passage) -> str:
    text = "".join(f"[{piece}]" if marked else piece for piece, marked in _pieces(passage))
    return "\n".join(line for line in (passage.title, text, passage.note) if line)


def _pieces(passage: Passage) -> list[tuple[str, bool]]:
    """The text cut at its spans, which may overlap: (piece, whether it is marked)."""
    pieces, done = [], 0
    for start, end in sorted(passage.spans):
        start = max(start, done)
        if start < end:
            pieces += [(passage.text[done:start], False), (passage.text[start:end], True)]
            done = end
    return [*pieces, (passage.text[done:], False)]
