"""What a recommender shows: the recommended films, how training went, and how ways compare."""

from collections.abc import Sequence
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from helpers.inputs.texts import as_html, lines_of, shortened
from helpers.show import COLOURS, NEUTRAL, show_figure


class Advice(NamedTuple):
    """One recommended film.

    Attributes:
        name: its name and year.
        genres: what kind of film it is.
        score: the inner product of its vector and the person's.
        because: the film of the person's history that has most to do with it.
    """

    name: str
    genres: Sequence[str]
    score: float
    because: str = ""


def show_advice(heading: str, history: Sequence[str], found: Sequence[Advice]) -> None:
    """Show what somebody watched last and what is recommended, as a table.

    Args:
        heading: who it is for.
        history: names of the latest films, oldest first; may be empty.
        found: recommended films, best first; of none it is said that no film fits.
    """
    from IPython.display import display

    rows = [(a.name, ", ".join(a.genres), f"{a.score:.3f}", a.because or "-") for a in found]
    rows = [tuple(map(lines_of, row)) for row in rows]
    columns = ["recommended", "genres", "score", "because you watched"]
    table = pd.DataFrame(rows, range(1, len(rows) + 1), columns)
    latest = f"latest: {' · '.join(history) or 'nothing yet'}"
    with pd.option_context("display.max_colwidth", None):  # long titles are shown whole
        plain = table.to_string()
        rich = table.to_html(border=0, formatters=[as_html] * len(columns), escape=False)
    for cell in ("th", "td"):  # pages that show notebooks would set words to the right
        rich = rich.replace(f"<{cell}>", f'<{cell} style="text-align:left">')
    if not found:
        plain = rich = "No film that is left fits this wish."
    about = f"<p><b>{as_html(heading)}</b><br>{as_html(latest)}</p>"
    words = f"{lines_of(heading)}\n{lines_of(latest)}\n{plain}"
    display({"text/html": about + rich, "text/plain": words}, raw=True)


def show_training(losses: Sequence[float], checks: pd.DataFrame, unit: str) -> None:
    """Show the loss of a training and, beside it, what was measured before and after each epoch.

    Args:
        losses: one a step, drawn as means of up to 50 steps.
        checks: a row for each epoch, from 0, and a column for each curve.
        unit: what is measured, for the axis.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.2))
    left.plot(range(1, len(losses) + 1), pd.Series(losses).rolling(50, min_periods=1).mean())
    left.set(xlabel="step", ylabel="loss (mean of 50 steps)", title="training")
    for name, colour in zip(checks, COLOURS, strict=False):
        right.plot(range(len(checks)), checks[name], "o-", color=colour, label=name)
    right.set(xlabel="epoch (0: before training)", ylabel=unit, title="validation")
    right.set(xticks=range(len(checks)), ylim=(0, None))
    right.legend(frameon=False)
    show_figure(figure)


def show_comparison(panels: dict[str, dict[str, tuple[float, float, float]]], unit: str) -> None:
    """Show a share for several ways as bars with their 95 % intervals, a panel for each question.

    Args:
        panels: question -> way -> share and the two ends of its interval, 0 to 1, drawn from the
            top; all questions have the same ways. The last way is ours.
        unit: what is measured, for the axis.
    """
    ways = list(next(iter(panels.values())))
    size = (5 * len(panels) + 1, 1 + 0.42 * len(ways))
    figure, axes = plt.subplots(1, len(panels), figsize=size, sharey=True, squeeze=False)
    style = {"color": [NEUTRAL] * (len(ways) - 1) + [COLOURS[0]], "ecolor": COLOURS[1]}
    for panel, (question, shares) in zip(axes[0], panels.items(), strict=True):
        share, low, high = np.transpose([shares[way] for way in ways])
        bars = panel.barh(range(len(ways)), share, xerr=[share - low, high - share], **style)
        panel.bar_label(bars, [f"{one:.3f}" for one in share], padding=6)
        panel.set_yticks(range(len(ways)), [shortened(way, 300) for way in ways])
        panel.set(xlabel=unit, title=question)
        panel.margins(x=0.2)
        panel.locator_params(axis="x", nbins=5)
    axes[0, 0].invert_yaxis()
    show_figure(figure)
