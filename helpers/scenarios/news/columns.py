"""Passages side by side, to compare what several searches found."""

from collections.abc import Mapping, Sequence

from helpers.inputs.texts import as_html, lines_of
from helpers.show import Passage, passage_as_html

_SIDE_BY_SIDE = "display: flex; flex-wrap: wrap; gap: 0 1.5rem; align-items: flex-start"
_COLUMN = "flex: 1 1 16rem; min-width: 0"  # below each other where a page is narrow


def show_columns(columns: Mapping[str, Sequence[Passage]]) -> None:
    """Show columns of passages, each below its heading, with the passages' spans marked.

    Args:
        columns: heading -> passages.
    """
    from IPython.display import display

    rich, plain = [], []
    for heading, passages in columns.items():
        shown = "".join(map(passage_as_html, passages))
        rich.append(f'<div style="{_COLUMN}"><h3>{as_html(heading)}</h3>{shown}</div>')
        plain += [lines_of(heading).upper(), *map(_plain, passages)]
    page = f'<div style="{_SIDE_BY_SIDE}">{"".join(rich)}</div>'
    display({"text/html": page, "text/plain": "\n\n".join(plain)}, raw=True)


def _plain(passage: Passage) -> str:
    return "\n".join(lines_of(line) for line in (passage.title, passage.note, passage.text) if line)
