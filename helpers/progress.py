"""One progress bar for terminals, notebooks and the controls in them."""

import sys
from typing import Any

from tqdm import tqdm

# Without a percentage sign and for a fixed width: the last state is what a saved notebook shows.
_IN_NOTEBOOK = {"bar_format": "{desc}: {n_fmt}/{total_fmt} |{bar:20}| {elapsed}, {rate_fmt}"}


def progress_bar(total: int | None, what: str, unit: str, **options: Any) -> tqdm:
    """Make a progress bar; use it as a context manager and call ``update(n)``.

    Args:
        total: how many units there are, or None where nobody knows.
        what: what is going on, for example ``"Encoding photos"``.
        unit: the name of one unit, for example ``"photo"``.
        **options: anything else tqdm takes, for example ``unit_scale=True`` for bytes.

    In a notebook its last state stays, as plain text. In a terminal the bar goes when the work is
    done. Where stderr is a file, as in a test run, nothing is shown.
    """
    if _in_notebook():
        # Not tqdm's widget, which shows nothing to a reader without a kernel.
        options = {"file": sys.stdout, "ncols": 100, **_IN_NOTEBOOK, **options}
    else:
        # None: tqdm shows itself only where a person can watch.
        options = {"disable": None, "leave": False, "file": sys.stderr, **options}
    return tqdm(total=total, desc=what, unit=unit, **options)


def _in_notebook() -> bool:
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")
