"""One progress bar for the terminal and for notebooks whose outputs are committed."""

import sys
from typing import Any

from tqdm import tqdm

_FORMAT = "{desc}: {n_fmt}/{total_fmt} |{bar:20}| {elapsed}, {rate_fmt}"


class _NotebookBar(tqdm):
    """A bar that updates one display in place, so that a saved notebook keeps only its last state.

    Plain tqdm writes a line per update and the widget version needs a live kernel to be read;
    neither can be looked at on a code host.
    """

    _handle = None

    def display(self, msg: str | None = None, pos: int | None = None) -> bool:
        from IPython.display import display

        text = {"text/plain": msg if msg is not None else str(self)}
        if not text["text/plain"]:
            return True
        if self._handle is None:
            self._handle = display(text, raw=True, display_id=True)
        else:
            self._handle.update(text, raw=True)
        return True

    def close(self) -> None:
        if self.disable:
            return
        self.disable = True
        self._decr_instances(self)
        if self._handle or not self.delay:  # else the work was done before the bar was due
            self.display(self.format_meter(**self.format_dict))


def in_notebook() -> bool:
    """Whether this runs in a Jupyter kernel."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return shell is not None and hasattr(shell, "kernel")


def progress_bar(total: int | None, what: str, unit: str, **options: Any) -> tqdm:
    """Make a progress bar; use it as a context manager and call ``update(n)``.

    Args:
        total: how many units there are, or None where nobody knows.
        what: what is going on, for example ``"Encoding photos"``.
        unit: the name of one unit, for example ``"photo"``.
        **options: anything else tqdm takes, for example ``unit_scale=True`` for bytes.

    In a notebook the last state stays; in a terminal the bar goes when the work is done. Where
    stderr is a file, as in a test run, nothing is shown.
    """
    if in_notebook():
        options = {"bar_format": _FORMAT, "ncols": 90, **options}
        return _NotebookBar(total=total, desc=what, unit=unit, gui=False, **options)
    # None: tqdm shows itself only where a person can watch.
    options = {"disable": None, "leave": False, "file": sys.stderr, **options}
    return tqdm(total=total, desc=what, unit=unit, **options)
