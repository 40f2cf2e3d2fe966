"""The controls of the "Try your own" sections, in JupyterLab and in the apps (tools/apps)."""

import contextlib
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import ipywidgets

from helpers.errors import BadItem, HelpfulError, printable
from helpers.inputs.files import existing, open_file

LARGEST_FILE = 500_000_000  # bytes that file_box takes into memory


class Form(ipywidgets.VBox):
    """Fields and a button, and below what is made of the fields' values; see :func:`form`.

    Attributes:
        handle, label, preview, examples, keep: as given to :func:`form`.
        fields: a widget for each field, by its name.
    """

    def __init__(
        self,
        handle: Callable[..., Any],
        label: str,
        preview: Callable[..., Any] | None,
        fields: Mapping[str, ipywidgets.Widget],
        examples: Mapping[str, Mapping[str, Any]],
        keep: bool,
    ) -> None:
        self.handle, self.label, self.preview = handle, label, preview
        self.fields, self.examples, self.keep = dict(fields), dict(examples), keep
        self._result = ipywidgets.Output()
        self._button = ipywidgets.Button(description=label, button_style="primary")
        self._button.on_click(self._run)
        for field in self.fields.values():
            if isinstance(field, ipywidgets.Text):
                field.on_msg(lambda _, sent, __: sent.get("event") == "submit" and self._run())
        row = [*self.fields.values(), self._button]
        if keep:
            row.append(ipywidgets.Button(description="Start again"))
            row[-1].on_click(lambda _: self._result.clear_output())
        parts = [ipywidgets.HBox(row, layout={"flex_flow": "row wrap"})]
        if examples:
            tries = [self._example(caption) for caption in examples]
            parts.append(ipywidgets.HBox([ipywidgets.Label("Try:"), *tries]))
            parts[-1].layout.flex_flow = "row wrap"
        if preview:
            parts.append(ipywidgets.interactive_output(explained()(preview), self.fields))
        parts.insert(0 if keep else len(parts), self._result)
        super().__init__(parts)

    def _example(self, caption: str) -> ipywidgets.Button:
        button = ipywidgets.Button(description=caption, layout={"width": "auto"})

        def fill_in(_: Any) -> None:
            for name, value in self.examples[caption].items():
                self.fields[name].value = value
            self._run()

        button.on_click(fill_in)
        return button

    def _run(self, _: Any = None) -> None:
        if not self.keep:
            self._result.clear_output()
        self._button.disabled = True
        try:
            with self._result, explained():  # any other error shows with its traceback
                values = {name: checked(one, one.value) for name, one in self.fields.items()}
                self.handle(**values)
                for field in self.fields.values() if self.keep else ():
                    field.value = ""  # ready for the next; kept after a mistake, to be mended
        finally:
            self._button.disabled = False


def form(
    handle: Callable[..., Any],
    label: str,
    preview: Callable[..., Any] | None = None,
    examples: Mapping[str, Mapping[str, Any]] | None = None,
    keep: bool = False,
    **fields: Any,
) -> Form:
    """Fields and a button, and below what is made of the fields' values.

    Args:
        handle: called with the value of each field by its name when the button or Enter in a line
            of text is pressed; what it prints or displays is shown.
        label: what the button says.
        preview: called likewise as soon as a field changes.
        examples: values to try, by what the button that fills them in says.
        keep: results stay, the latest last, above the fields, as in a talk.
        fields: what there is to fill in, by name: a text to stand in an empty line; a number, which
            must stay above 0; two numbers, the ends of a slider for a range; a list of choices,
            perhaps as (label, value); an ipywidget; or a list of ipywidgets, which gives a list of
            values. The name stands beside a field that does not say by itself what it is for.

    Mistakes show as one sentence below the fields.
    """
    inputs = {name: _field(name, given) for name, given in fields.items()}
    return Form(handle, label, preview, inputs, examples or {}, keep)


class _Several(ipywidgets.HBox):
    """Fields side by side, as one."""

    @property
    def value(self) -> list[Any]:
        return [field.value for field in self.children]

    @value.setter
    def value(self, values: Sequence[Any]) -> None:
        for field, given in zip(self.children, values, strict=True):
            field.value = given


def _field(name: str, given: Any) -> ipywidgets.Widget:
    match given:
        case [ipywidgets.Widget(), *_]:
            return _Several(given)
        case ipywidgets.Widget():
            field = given
        case str():
            field = ipywidgets.Text(placeholder=given, layout={"width": "420px"})
        case int() | float():
            kind = ipywidgets.IntText if isinstance(given, int) else ipywidgets.FloatText
            field = kind(value=given)
        case (int(low), int(high)):
            field = ipywidgets.IntRangeSlider(value=given, min=low, max=high)
        case _:
            field = ipywidgets.Dropdown(options=given)
    if not (field.description or getattr(field, "placeholder", "")):
        field.description, field.style.description_width = name.replace("_", " "), "initial"
    return field


def checked(field: ipywidgets.Widget, value: Any) -> Any:
    """A field's value, where a number is above 0.

    Raises:
        HelpfulError: it is not.
    """
    name = getattr(field, "description", "")
    if isinstance(field, ipywidgets.IntText | ipywidgets.FloatText) and not value > 0:
        raise HelpfulError(f"Give a number above 0 for {name}, not {value:g}.")
    return value


def file_box(
    handle: Callable[[bytes, str], Any],
    accept: str,
    label: str,
    examples: Mapping[str, Path] | None = None,
) -> Form:
    """A box to upload a file or name one by its path, and to see what is made of it.

    Args:
        handle: called with the file's bytes and its name; what it prints or displays is shown.
        accept: the kinds of file to offer, such as ``"image/*"``.
        label: what the button says.
        examples: files to try, by what their buttons say.

    Mistakes show as one sentence below the box. In an app files can only be uploaded: a path would
    let every visitor read this computer.
    """

    def read(path: Path) -> None:
        with open_file(path) as file:
            size = os.fstat(file.fileno()).st_size
            _check_size(size, path.name)
            handle(file.read(size), path.name)  # no more: some of the system's files never end

    return _choose(handle, read, accept, label, examples, folders=False)


def path_box(
    handle: Callable[[Path], Any],
    accept: str,
    label: str,
    examples: Mapping[str, Path] | None = None,
) -> Form:
    """As :func:`file_box`, for what reads by itself: a folder can be named, or its zip uploaded.

    Args:
        handle: called with the path of a file or folder, or of a copy of an upload, which is gone
            afterwards.
        accept: the kinds of file to offer for upload, such as ``".zip,.tar"``.
        label: what the button says.
        examples: files to try, by what their buttons say.
    """
    return _choose(by_path(handle), handle, accept, label, examples, folders=True)


def _choose(
    upload: Callable[[bytes, str], Any],
    read: Callable[[Path], Any],
    accept: str,
    label: str,
    examples: Mapping[str, Path] | None,
    folders: bool,
) -> Form:
    uploaded = ipywidgets.FileUpload(accept=accept, description="Upload")
    fields: dict[str, ipywidgets.Widget] = {"chosen": uploaded}
    ways = "Upload a file"
    if "BOOTCAMP_APP" not in os.environ:
        what = "file or folder" if folders else "file"
        typed = ipywidgets.Text(placeholder=f"or the path of a {what} on this computer")
        fields["path"] = typed
        uploaded.observe(lambda _: setattr(typed, "value", ""), "value")  # the latest choice counts
        ways += " or type the path of one"

    def act(chosen: Sequence[dict[str, Any]], path: str = "") -> None:
        if path.strip():
            read(_existing(path.strip(), folders))
        elif chosen:
            _check_size(len(chosen[0]["content"]), chosen[0]["name"])
            upload(bytes(chosen[0]["content"]), chosen[0]["name"])
        else:
            raise HelpfulError(f"{ways}, then press the button.")

    tries = {caption: {"path": str(path)} for caption, path in (examples or {}).items()}
    return form(act, label, examples=tries, **fields)


def _existing(path: str, folders: bool) -> Path:
    try:
        return existing(path, folders)
    except BadItem as error:
        name = path if len(path) <= 200 else f"{path[:100]}…{path[-100:]}"
        raise HelpfulError(f"{name} could not be read: {error}; choose another.") from None


def _check_size(size: int, name: str) -> None:
    if size > LARGEST_FILE:
        most = f"{LARGEST_FILE / 1e6:,.0f} MB"
        raise HelpfulError(f"{name} has {size / 1e6:,.0f} MB: choose a file of at most {most}.")
    if not size:
        raise HelpfulError(f"{name} is empty: choose another file.")


def text_box(
    handle: Callable[[str], Any],
    placeholder: str,
    label: str,
    examples: Sequence[str] = (),
    keep: bool = False,
) -> Form:
    """A line of text and a button; ``handle(text)`` prints or displays what is shown below.

    Args:
        handle: called with the text, stripped.
        placeholder: what the empty line says.
        label: what the button says.
        examples: texts to try.
        keep: results stay, the latest last, above the line, as in a talk.

    Mistakes show as one sentence below the box.
    """

    def act(text: str) -> None:
        if not text.strip():
            raise HelpfulError(f"Type something first ({placeholder}), then press the button.")
        handle(text.strip())

    tries = {text: {"text": text} for text in examples}
    return form(act, label, examples=tries, keep=keep, text=placeholder)


def by_path(handle: Callable[[Path], Any]) -> Callable[[bytes, str], None]:
    """Let ``handle``, which reads files by their path, be called by :func:`file_box`.

    Args:
        handle: called with the path of a copy of the file, which is gone afterwards.
    """

    def call(content: bytes, name: str) -> None:
        ending = re.search(r"\.\w{1,10}$", name, re.ASCII)
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder, f"copy{ending[0] if ending else ''}")
            copy.write_bytes(content)
            handle(copy)

    return call


@contextlib.contextmanager
def explained(say: Callable[[str], Any] = print) -> Iterator[None]:
    """Say mistakes that the reader can mend as one sentence instead of raising them."""
    try:
        yield
    except HelpfulError as error:
        say(str(error))
    except BadItem as error:
        say(f"That cannot be used: {error}")
    except OSError as error:
        name = printable(str(error.filename or "The file"))
        say(f"{name} could not be read: {error.strerror or error}.")
