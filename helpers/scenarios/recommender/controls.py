"""The controls of the recommender: choose films, say who you are, and see what is recommended."""

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets

from helpers.errors import HelpfulError
from helpers.scenarios.recommender.movielens import AGES, GENDERS
from helpers.widgets import run_button

_UNKNOWN = "not said"


def film_chooser(
    handle: Callable[[list[str], str, str], Any], names: Sequence[str], chosen: Sequence[str]
) -> ipywidgets.Widget:
    """Three lines that complete the names of films, two lists for age and gender, and a button.

    Args:
        handle: called with the names that were typed, oldest first, and the age and the gender in
            words ("" where not said); what it prints or displays is shown below.
        names: the films to offer.
        chosen: what the lines say at first; as many lines as there are names.

    Mistakes show as one sentence below the box.
    """
    lines = [
        ipywidgets.Combobox(value=name, options=list(names), placeholder="name of a film")
        for name in chosen
    ]
    age = ipywidgets.Dropdown(options=[_UNKNOWN, *AGES.values()], description="age")
    gender = ipywidgets.Dropdown(options=[_UNKNOWN, *GENDERS.values()], description="gender")

    def recommend() -> None:
        said = ["" if one.value == _UNKNOWN else one.value for one in (age, gender)]
        typed = [line.value.strip() for line in lines if line.value.strip()]
        if not typed and not any(said):
            raise HelpfulError("Choose a film, or say your age or gender, then press again.")
        handle(typed, *said)

    button, result = run_button("Recommend", recommend)
    people = ipywidgets.HBox([age, gender, button])
    return ipywidgets.VBox([ipywidgets.HBox(lines), people, result])
