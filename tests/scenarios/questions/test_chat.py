"""The chat box: what it shows, keeps, forgets and explains."""

import asyncio
import html

import nbformat
import pytest
from nbclient import NotebookClient

from helpers.errors import BadItem, HelpfulError
from helpers.scenarios.questions.chat import Reply, chat_box, show_reply
from helpers.show import Passage


@pytest.fixture
def shown(monkeypatch):
    """What was displayed, as (HTML, plain text)."""
    kept = []
    monkeypatch.setattr(
        "IPython.display.display",
        lambda data, raw: kept.append((data["text/html"], data["text/plain"])),
    )
    return kept


def parts(box):
    talk, (line, send, forget) = box.children[0], box.children[1].children
    return talk, line, send, forget


def test_a_reply_shows_question_answer_note_and_marked_source(shown):
    source = Passage("It is 9 km long.", "River", spans=[(6, 10)])
    show_reply("how long?", Reply("9 km", "matched: How long is it?", source))
    ((rich, plain),) = shown
    assert "<b>how long?</b>" in rich
    assert "<mark><b>9 km</b></mark>" in rich
    assert plain == "how long?\n9 km\nmatched: How long is it?\n\nRiver\nIt is [9 km] long."


def test_a_reply_without_a_source_is_shown_alone(shown):
    show_reply("who?", Reply("I do not know."))
    assert shown[0][1] == "who?\nI do not know."


def test_what_people_type_is_no_html(shown):
    show_reply("<script>alert(1)</script>", Reply("<b>no</b>"))
    assert "<script>" not in shown[0][0]
    assert html.escape("<b>no</b>") in shown[0][0]


def test_a_very_long_question_is_shortened_where_it_is_shown_only(shown):
    got = []
    box = chat_box(lambda text: got.append(text) or Reply("yes"))
    _, line, send, _ = parts(box)
    line.value = "w" * 100_000
    send.click()
    assert got == ["w" * 100_000]
    assert len(shown[0][1]) < 400


def test_the_button_and_the_enter_key_ask(shown):
    box = chat_box(lambda text: Reply(text.upper()))
    _, line, send, _ = parts(box)
    line.value = " first "
    send.click()
    assert line.value == "", "ready for the next question"
    line.value = "second"
    line._handle_custom_msg({"event": "submit"}, [])
    line.value = "third"
    line._handle_custom_msg({"event": "something else"}, [])
    assert [plain for _, plain in shown] == ["first\nFIRST", "second\nSECOND"]


@pytest.mark.parametrize("error", [HelpfulError("Mend this."), BadItem("Mend this.")])
def test_mistakes_show_as_one_sentence_and_the_question_stays(capsys, shown, error):
    def refuse(text):
        raise error

    _, line, send, _ = parts(chat_box(refuse))
    line.value = "???"
    send.click()
    assert capsys.readouterr().out == "Mend this.\n"
    assert line.value == "???"
    assert shown == []


def test_nothing_typed_is_explained(capsys):
    _, _, send, _ = parts(chat_box(lambda text: Reply("never")))
    send.click()
    assert capsys.readouterr().out == "Type a question first, then press Ask.\n"


def test_the_conversation_is_kept_until_it_is_started_again():
    sources = [
        "from helpers.scenarios.questions.chat import Reply, chat_box\n"
        "box = chat_box(lambda text: Reply(text.upper()))\n"
        "talk, (line, send, forget) = box.children[0], box.children[1].children\n"
        "for line.value in ('one', 'two'):\n"
        "    send.click()",
        "print(*[output['data']['text/plain'] for output in talk.outputs], sep=' | ')\n"
        "forget.click()",
        "print(len(talk.outputs))",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])
    asyncio.run(NotebookClient(notebook, kernel_name="python3", timeout=60).async_execute())
    printed = [cell.outputs[0].text for cell in notebook.cells[1:]]
    assert printed == ["one\nONE | two\nTWO\n", "0\n"]
