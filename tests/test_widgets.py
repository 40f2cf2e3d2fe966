"""The form: what its fields give, what follows what, and what it says about mistakes."""

import ipywidgets
import pytest

from helpers.errors import BadItem, HelpfulError
from helpers.widgets import by_path, form


class Form:
    """A form by its parts, and what its button was pressed with."""

    def __init__(self, handle=None, preview=None, **fields):
        self.got = []
        self.box = form(
            handle or (lambda **values: self.got.append(values)), "Go", preview, **fields
        )
        *self.fields, self.button = self.box.children[0].children

    def press(self):
        self.button.click()
        return self.got


def test_each_kind_of_field_gives_its_value_by_its_name():
    one = Form(
        text="such as this",
        count=3,
        share=0.5,
        weights=(0, 500),
        kind=["a", "b"],
        labelled=[("first", 1), ("second", 2)],
        own=ipywidgets.Checkbox(value=True),
        several=[ipywidgets.Text("x"), ipywidgets.Text("y")],
    )
    text, count, share, weights, kind, labelled, own, several = one.fields
    assert one.press() == [
        {"text": "", "count": 3, "share": 0.5, "weights": (0, 500), "kind": "a", "labelled": 1}
        | {"own": True, "several": ["x", "y"]}
    ]
    text.value, count.value, share.value, weights.value = "typed", 4, 1.5, (100, 200)
    kind.value, labelled.value, own.value, several.children[1].value = "b", 2, False, "z"
    assert list(one.press()[1].values()) == ["typed", 4, 1.5, (100, 200), "b", 2, False, ["x", "z"]]
    assert (text.placeholder, weights.min, weights.max) == ("such as this", 0, 500)


def test_fields_and_button_say_what_they_are():
    own = ipywidgets.Checkbox(description="mine")
    one = Form(node_memory=64.0, kind=["a"], own=own, text="a word", bare=ipywidgets.Checkbox())
    said = [field.description for field in one.fields]
    assert said == ["node memory", "kind", "mine", "", "bare"]
    assert one.button.description == "Go" and one.got == [], "nothing runs by itself"


def test_choices_follow_the_field_before_and_stay_where_they_can(capsys):
    offered = {1: [("red", 10)], 2: [("blue", 30), ("red", 10)], 3: [("green", 20)], 4: []}
    one = Form(time=[*offered], thing=offered)
    time, thing = one.fields
    assert thing.value == 10
    time.value = 2
    assert thing.options == (("blue", 30), ("red", 10)) and thing.value == 10, "kept"
    time.value = 3
    assert thing.value == 20 and one.press() == [{"time": 3, "thing": 20}]
    time.value = 4
    assert len(one.press()) == 1
    assert "There is no thing to choose here" in capsys.readouterr().out
    time.value = 2
    assert thing.value == 30, "a choice again"


def test_a_preview_follows_every_field_without_the_button():
    seen = []
    one = Form(preview=lambda **values: seen.append(values), text="a word", kind=["a", "b"])
    one.fields[0].value = "x"
    one.fields[1].value = "b"
    texts = [(values["text"], values["kind"]) for values in seen]
    assert texts == [("", "a"), ("x", "a"), ("x", "b")] and one.got == []
    assert isinstance(one.box.children[1], ipywidgets.Output) and len(one.box.children) == 3


@pytest.mark.parametrize("error", [HelpfulError("Mend this."), BadItem("Mend this.")])
def test_mistakes_are_one_sentence(error, capsys):
    def refuse(**values):
        raise error

    Form(refuse, text="a word").press()
    assert capsys.readouterr().out.endswith("Mend this.\n")
    Form(preview=refuse, text="a word")
    assert capsys.readouterr().out.endswith("Mend this.\n")


@pytest.mark.parametrize("number", [0, -1, -0.5])
def test_a_number_must_be_above_0(number, capsys):
    one = Form(cores_a_node=16.0)
    one.fields[0].value = number
    assert one.press() == []
    said = capsys.readouterr().out
    assert said.endswith(f"Give a number above 0 for cores a node, not {number}.\n")


def test_a_file_by_its_path_is_a_copy_that_is_gone_afterwards():
    seen = []
    by_path(lambda path: seen.append((path, path.read_bytes())))(b"moving", "../my clip.mp4")
    ((path, content),) = seen
    assert content == b"moving" and path.suffix == ".mp4" and not path.exists()
