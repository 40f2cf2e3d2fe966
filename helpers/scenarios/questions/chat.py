"""A chat box: type a question, see the answer and where it comes from, with the talk kept above."""

from collections.abc import Callable
from typing import NamedTuple

import ipywidgets

from helpers.errors import HelpfulError
from helpers.show import Passage, show_passages
from helpers.widgets import explained


class Reply(NamedTuple):
    """What the chat says to one question.

    Attributes:
        text: the answer, or that there is none.
        note: a line below it, such as the matched question and its score.
        source: the paragraph that the answer comes from, with the answer marked, if there is one.
    """

    text: str
    note: str = ""
    source: Passage | None = None


def show_reply(question: str, reply: Reply) -> None:
    """Show one question and its reply, as the chat box does.

    Args:
        question: what was asked.
        reply: what to say to it.
    """
    passages = [Passage(reply.text, _shortened(question), reply.note)]
    show_passages(passages if reply.source is None else [*passages, reply.source])


def chat_box(answer: Callable[[str], Reply], placeholder: str = "Ask something") -> ipywidgets.VBox:
    """A line to type questions into, with the conversation above it.

    Args:
        answer: called with each question, stripped. Mistakes it raises as ``HelpfulError`` or
            ``BadItem`` show as one sentence.
        placeholder: what the empty line says.

    Returns:
        The conversation and the line with its buttons; the Enter key sends, too.
    """
    talk = ipywidgets.Output()
    line = ipywidgets.Text(placeholder=placeholder, layout=ipywidgets.Layout(width="420px"))
    send = ipywidgets.Button(description="Ask", button_style="primary")
    forget = ipywidgets.Button(description="Start again")

    def ask(_: object = None) -> None:
        question = line.value.strip()
        with talk, explained():  # any other error shows with its traceback
            if not question:
                raise HelpfulError("Type a question first, then press Ask.")
            show_reply(question, answer(question))
            line.value = ""  # kept after a mistake, to be mended

    send.on_click(ask)
    forget.on_click(lambda _: talk.clear_output())
    line.on_msg(lambda _, content, __: content.get("event") == "submit" and ask())
    return ipywidgets.VBox([talk, ipywidgets.HBox([line, send, forget])])


def _shortened(text: str, length: int = 300) -> str:
    return text if len(text) <= length else f"{text[:length]} ..."
