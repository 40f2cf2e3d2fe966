"""Questions to choose from, where a reply may not be the one that was meant."""

import html
from collections.abc import Sequence

from helpers.inputs.texts import as_html, lines_of
from helpers.scenarios.questions.questions import Question


def show_choices(lead: str, questions: Sequence[Question]) -> None:
    """Show questions as a list; in the app each is a button that asks it.

    Args:
        lead: a line above them.
        questions: none shows nothing.
    """
    from IPython.display import display

    if not questions:
        return
    items = "".join(
        f'<li data-ask="{html.escape(one.text)}">{as_html(one.text)}</li>' for one in questions
    )
    plain = "\n".join([lead, *(f"- {lines_of(one.text)}" for one in questions)])
    display({"text/html": f"<p>{lead}</p><ul>{items}</ul>", "text/plain": plain}, raw=True)
