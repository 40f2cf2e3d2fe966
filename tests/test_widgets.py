"""The form and the boxes: what they give, what follows what, what they say about mistakes."""

import os
import re
import socket
from datetime import datetime
from pathlib import Path

import ipywidgets
import pytest

from helpers import widgets
from helpers.errors import BadItem, HelpfulError
from helpers.paths import ROOT
from helpers.widgets import by_path, file_box, form, path_box, text_box


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


@pytest.mark.parametrize("name", ["a.\0", "a.\ud800", "a." + "x" * 300, "..", "", "a.sh;b"])
def test_the_copy_of_a_file_has_a_name_of_ours(name):
    seen = []
    by_path(lambda path: seen.append(path.name))(b"moving", name)
    assert seen == ["copy"]


UPLOAD = {
    "name": "photo.jpg", "content": memoryview(b"pixels"), "size": 6, "type": "image/jpeg",
    "last_modified": datetime(2020, 1, 1),
}  # fmt: skip


def press(box, path=None, upload=None):
    chosen, *typed, button = box.children[0].children
    if upload:
        chosen.value = [upload]
    if path is not None:
        typed[0].value = path
    button.click()


@pytest.fixture
def box():
    """A file box and what it was pressed with."""
    got = []
    return file_box(lambda content, name: got.append((content, name)), "image/*", "Search"), got


@pytest.fixture
def pathbox():
    got = []
    return path_box(
        lambda path: got.append((path, path.is_file() and path.read_bytes())), "", ""
    ), got


def test_a_file_named_by_its_path(box, tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"pixels")
    press(box[0], f" {tmp_path / 'photo.jpg'} ")
    assert box[1] == [(b"pixels", "photo.jpg")]


def test_a_file_uploaded(box):
    press(box[0], upload=UPLOAD)
    assert box[1] == [(b"pixels", "photo.jpg")]


def test_the_latest_choice_counts(box, tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"old")
    press(box[0], str(tmp_path / "photo.jpg"))
    chosen, typed, _ = box[0].children[0].children
    chosen.value = [UPLOAD]
    assert typed.value == ""


def test_folders_and_uploads_come_by_their_path(pathbox, tmp_path):
    press(pathbox[0], str(tmp_path))
    press(pathbox[0], "", UPLOAD)
    (first, _), (second, content) = pathbox[1]
    assert first == tmp_path
    assert (second.name, content, second.exists()) == ("copy.jpg", b"pixels", False)


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(path))


PLACES = {
    "": "Upload a file or type the path of one",
    "nowhere.jpg": "nowhere.jpg could not be read: No such file",
    "~nosuchuser/x": "home directory",
    "a\0b": "no name of a file",
    "\ud800": "no name of a file",
    "x" * 5000: "File name too long",
    "x/" * 5000: "File name too long",
    "folder": "not a file but a folder",
    "pipe": "a pipe or a device",
    "socket": "a pipe or a device",
    "/dev/zero": "a pipe or a device",
    "/dev/stdin": "could not be read|a pipe or a device|is empty",
    "/proc/kcore": "has .* MB|denied|No such file",
    "/proc/kmsg": "is empty|denied|not permitted|No such file",
    "/proc/self/environ": "is empty",
    "loop": "symbolic links",
    "empty": "is empty",
    "large": "large has 2,000 MB: choose a file of at most 500 MB",
    "forbidden": "denied",
}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize("kind", ["box", "pathbox"])
def test_a_choice_that_cannot_be_read_is_one_sentence(
    kind, path, request, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    make_pipe(Path("pipe"))
    make_socket(Path("socket"))
    Path("loop").symlink_to("loop")
    Path("empty").touch()
    Path("large").touch()
    os.truncate("large", 2_000_000_000)
    Path("forbidden").write_text("secret")
    Path("forbidden").chmod(0)
    if path == "forbidden" and os.access(path, os.R_OK):
        pytest.skip("root may read everything")
    takes = kind == "pathbox" and re.search("folder|empty|environ|kcore|kmsg|large", path)
    if takes:
        pytest.skip("what reads by its path looks for itself")
    made, got = request.getfixturevalue(kind)
    press(made, path)
    said = capsys.readouterr().out.rpartition("\r")[2]  # before it the output is cleared
    assert re.search(PLACES[path], said) and not got
    assert len(said.splitlines()) == 1 and said.endswith(".\n") and len(said) < 400


def test_a_large_upload_is_refused(box, monkeypatch, capsys):
    monkeypatch.setattr(widgets, "LARGEST_FILE", 5)
    press(box[0], upload=UPLOAD)
    assert "choose a file of at most" in capsys.readouterr().out and not box[1]


@pytest.mark.parametrize("make", [file_box, path_box])
def test_an_app_takes_uploads_only(make, monkeypatch, capsys):
    monkeypatch.setenv("BOOTCAMP_APP", "1")
    got = []
    one = make(lambda *given: got.append(given), "image/*", "Search")
    assert [type(part).__name__ for part in one.children[0].children] == ["FileUpload", "Button"]
    press(one)
    assert capsys.readouterr().out.endswith("\rUpload a file, then press the button.\n")
    press(one, upload=UPLOAD)
    assert len(got) == 1


@pytest.mark.parametrize(
    "notebook", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda p: p.stem
)
def test_no_line_of_text_asks_for_a_path(notebook):
    """In an app every visitor could type one."""
    asked = re.findall(r"text_box\([^\n]*(?:path of|folder)[^\n]*", notebook.read_text())
    assert not asked, "take path_box"


def test_an_error_of_the_handler(tmp_path, capsys):
    def refuse(content, name):
        raise HelpfulError("This cannot be searched.")

    (tmp_path / "a").write_bytes(b"a")
    press(file_box(refuse, "*", "Search"), str(tmp_path / "a"))
    assert capsys.readouterr().out.endswith("This cannot be searched.\n")


def test_a_line_of_text(capsys):
    got = []
    line = text_box(got.append, "a sentence", "Search")
    line.children[0].children[0].value = " hello "
    line.children[0].children[-1].click()
    assert got == ["hello"]
    line.children[0].children[0].value = " "
    line.children[0].children[-1].click()
    assert "Type something first (a sentence)" in capsys.readouterr().out


def test_a_talk_keeps_its_answers_and_empties_the_line_but_for_a_mistake(capsys):
    def answer(text):
        if text == "wrong":
            raise HelpfulError("Mend this.")

    talk = text_box(answer, "a question", "Ask", examples=["why?"], keep=True)
    output, row, tries = talk.children
    line, ask, again = row.children
    for given, left in (("how?", ""), ("wrong", "wrong")):
        line.value = given
        ask.click()
        assert line.value == left
    tries.children[1].click()
    assert line.value == "" and again.description == "Start again"
    assert isinstance(output, ipywidgets.Output)
