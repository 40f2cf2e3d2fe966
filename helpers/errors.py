"""The errors this package raises on purpose: one sentence that says what to do."""


class HelpfulError(RuntimeError):
    """Something the reader can mend: what was wrong, with what, and what to do, in one sentence.

    Jupyter shows only that sentence, without the stack of calls that led to it.
    """

    def _render_traceback_(self) -> list[str]:
        # The hook IPython offers to an exception that would rather print itself.
        return [f"{type(self).__name__}: {self}"]


class ServiceError(HelpfulError):
    """Milvus or Redis could not be reached, opened, or asked for what was wanted."""


class BadItem(ValueError):
    """An item that cannot be encoded, such as a text file named .jpg; the message says why."""
