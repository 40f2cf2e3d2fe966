"""The controls of the benchmark's "Try your own": the size and shape of a cluster."""

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets

from helpers.errors import HelpfulError
from helpers.widgets import run_button


def planner(
    handle: Callable[[str, float, int, int, float, int], Any], indexes: Sequence[str]
) -> ipywidgets.Widget:
    """Fields for index, millions of vectors, dimension, replicas and nodes, and a button.

    Args:
        handle: called with the index, millions of vectors, their dimension, replicas, and memory
            (GB) and cores of a node; what it prints or displays is shown below.
        indexes: the indexes to choose from.

    Mistakes show as one sentence below the box.
    """
    index = ipywidgets.Dropdown(options=list(indexes), description="index")
    numbers = {
        "million vectors": ipywidgets.FloatText(value=100),
        "dimension": ipywidgets.IntText(value=128),
        "replicas": ipywidgets.IntText(value=2),
        "GB a node": ipywidgets.FloatText(value=64),
        "cores a node": ipywidgets.IntText(value=16),
    }
    for name, field in numbers.items():
        field.description, field.layout.width = name, "190px"
        field.style.description_width = "initial"

    def reckon() -> None:
        for name, field in numbers.items():
            if field.value <= 0:
                raise HelpfulError(f"A plan needs {name} above 0, not {field.value:g}.")
        handle(index.value, *(field.value for field in numbers.values()))

    button, result = run_button("Reckon", reckon)
    fields = list(numbers.values())
    upper, lower = [index, *fields[:2]], [*fields[2:], button]
    return ipywidgets.VBox([ipywidgets.HBox(upper), ipywidgets.HBox(lower), result])
