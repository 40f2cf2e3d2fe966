"""The controls of the "Try your own" sections; they work in JupyterLab and as a Voilà app."""

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


def form(
    handle: Callable[..., Any],
    label: str,
    preview: Callable[..., Any] | None = None,
    **fields: Any,
) -> ipywidgets.Widget:
    """Fields and a button, and below what is made of the fields' values.

    Args:
        handle: called with the value of each field by its name when the button is pressed; what it
            prints or displays is shown.
        label: what the button says.
        preview: called likewise as soon as a field changes.
        fields: what there is to fill in, by name: a text to stand in an empty line; a number, which
            must stay above 0; two numbers, the ends of a slider for a range; a list of choices,
            perhaps as (label, value); a dict with a list of such pairs for each value of the field
            before it; an ipywidget; or a list of ipywidgets, which gives a list of values. The
            name stands beside a field that does not say by itself what it is for.

    Mistakes show as one sentence below the fields.
    """
    inputs: dict[str, ipywidgets.Widget] = {}
    for name, given in fields.items():
        inputs[name] = _field(name, given, next(reversed(inputs.values()), None))
    button = ipywidgets.Button(description=label, button_style="primary")
    result = ipywidgets.Output()

    def run(_: Any) -> None:
        result.clear_output()
        with result, explained():  # any other error result shows with its traceback
            handle(**{name: _value(field) for name, field in inputs.items()})

    button.on_click(run)
    row = ipywidgets.HBox([*inputs.values(), button], layout={"flex_flow": "row wrap"})
    follows = [ipywidgets.interactive_output(explained()(preview), inputs)] if preview else []
    return ipywidgets.VBox([row, *follows, result])


class _Several(ipywidgets.HBox):
    """Fields side by side, as one."""

    @property
    def value(self) -> list[Any]:
        return [field.value for field in self.children]


def _field(name: str, given: Any, before: ipywidgets.Widget | None) -> ipywidgets.Widget:
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
        case Mapping():
            field = _choice(before, given)
        case _:
            field = ipywidgets.Dropdown(options=given)
    if not (field.description or getattr(field, "placeholder", "")):
        field.description, field.style.description_width = name.replace("_", " "), "initial"
    return field


def _choice(before: ipywidgets.Widget, choices: Mapping[Any, Sequence]) -> ipywidgets.Dropdown:
    """A list of choices that depends on the value of the field before it."""
    field = ipywidgets.Dropdown()

    def offer(_: Any = None) -> None:
        last, field.options = field.value, choices[before.value]
        values = [value for _, value in field.options]
        field.value = last if last in values else next(iter(values), None)  # kept where it can be

    offer()
    before.observe(offer, "value")
    return field


def _value(field: ipywidgets.Widget) -> Any:
    name = getattr(field, "description", "")
    if isinstance(field, ipywidgets.IntText | ipywidgets.FloatText) and field.value <= 0:
        raise HelpfulError(f"Give a number above 0 for {name}, not {field.value:g}.")
    if isinstance(field, ipywidgets.Dropdown) and not field.options:
        raise HelpfulError(f"There is no {name} to choose here: change what stands before it.")
    return field.value


def file_box(handle: Callable[[bytes, str], Any], accept: str, label: str) -> ipywidgets.Widget:
    """A box to upload a file or name one by its path, and to see what is made of it.

    Args:
        handle: called with the file's bytes and its name; what it prints or displays is shown.
        accept: the kinds of file to offer, such as ``"image/*"``.
        label: what the button says.

    Mistakes show as one sentence below the box. In a Voilà app files can only be uploaded: a path
    would let every visitor read this computer.
    """

    def read(path: Path) -> None:
        with open_file(path) as file:
            size = os.fstat(file.fileno()).st_size
            _check_size(size, path.name)
            handle(file.read(size), path.name)  # no more: some of the system's files never end

    return _choose(handle, read, accept, label, folders=False)


def path_box(handle: Callable[[Path], Any], accept: str, label: str) -> ipywidgets.Widget:
    """As :func:`file_box`, for what reads by itself: a folder can be named, or its zip uploaded.

    Args:
        handle: called with the path of a file or folder, or of a copy of an upload, which is gone
            afterwards.
        accept: the kinds of file to offer for upload, such as ``".zip,.tar"``.
        label: what the button says.
    """
    return _choose(by_path(handle), handle, accept, label, folders=True)


def _choose(
    upload: Callable[[bytes, str], Any],
    read: Callable[[Path], Any],
    accept: str,
    label: str,
    folders: bool,
) -> ipywidgets.Widget:
    uploaded = ipywidgets.FileUpload(accept=accept, description="Upload")
    fields: dict[str, ipywidgets.Widget] = {"chosen": uploaded}
    ways = "Upload a file"
    if not _in_voila():
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

    return form(act, label, **fields)


def _in_voila() -> bool:
    # Kernels that Voilà starts ahead of their visitors know only the second.
    return (
        os.environ.get("SERVER_SOFTWARE", "").startswith("voila") or "VOILA_PREHEAT" in os.environ
    )


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


def text_box(handle: Callable[[str], Any], placeholder: str, label: str) -> ipywidgets.Widget:
    """A line of text and a button; ``handle(text)`` prints or displays what is shown below.

    Args:
        handle: called with the text, stripped.
        placeholder: what the empty line says.
        label: what the button says.

    Mistakes show as one sentence below the box.
    """

    def act(text: str) -> None:
        if not text.strip():
            raise HelpfulError(f"Type something first ({placeholder}), then press the button.")
        handle(text.strip())

    return form(act, label, text=placeholder)


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
def explained() -> Iterator[None]:
    """Print mistakes that the reader can mend as one sentence instead of raising them."""
    try:
        yield
    except (HelpfulError, BadItem) as error:
        print(error)
    except OSError as error:
        name = printable(str(error.filename or "The file"))
        print(f"{name} could not be read: {error.strerror or error}.")
