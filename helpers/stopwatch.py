"""How long the parts of a computation take."""

import time
from collections.abc import Callable
from typing import Any


class Stopwatch:
    """Calls functions and adds up the seconds they take, part by part.

    Attributes:
        seconds: part -> seconds so far, in the order the parts were first called.

    Example:
        >>> watch = Stopwatch()
        >>> watch("add", sum, [1, 2])
        3
        >>> list(watch.seconds)
        ['add']
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def __call__(self, part: str, call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """The result of ``call(*arguments, **options)``, whose time counts for ``part``."""
        started = time.perf_counter()
        try:
            return call(*arguments, **options)
        finally:
            spent = time.perf_counter() - started
            self.seconds[part] = self.seconds.get(part, 0.0) + spent

    @property
    def total(self) -> float:
        """The seconds of all parts together."""
        return sum(self.seconds.values())
