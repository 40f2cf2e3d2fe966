"""The errors this package raises on purpose: one sentence that says what to do."""

import re

# Controls, line ends, what turns the direction of a line, and bytes of a name that are no UTF-8.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """A name or a message as one line that every page and console takes.

    File names may hold anything; what cannot be shown becomes an escape such as ``\\n``.
    """
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class HelpfulError(RuntimeError):
    """Something the reader can mend: what was wrong, with what, and what to do, in one sentence.

    Jupyter shows only that sentence, without the stack of calls that led to it.
    """

    def __str__(self) -> str:
        return printable(super().__str__())

    def _render_traceback_(self) -> list[str]:
        # The hook IPython offers to an exception that would rather print itself.
        return [f"{type(self).__name__}: {self}"]


class ServiceError(HelpfulError):
    """Milvus or Redis could not be reached, opened, or asked for what was wanted."""


class BadItem(ValueError):
    """An item that cannot be encoded, such as a text file named .jpg; the message says why."""

    def __str__(self) -> str:
        return printable(super().__str__())
