"""The controls of the "Try your own" sections; they work in JupyterLab and as a Voilà app."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import ipywidgets

from helpers.errors import BadItem, HelpfulError


def file_box(handle: Callable[[bytes, str], Any], accept: str, label: str) -> ipywidgets.Widget:
    """A box to upload a file or name one by its path, and to see what is made of it.

    Args:
        handle: called with the file's bytes and its name; what it prints or displays is shown.
        accept: the kinds of file to offer, such as ``"image/*"``.
        label: what the button says.

    Mistakes show as one sentence below the box.
    """
    upload = ipywidgets.FileUpload(accept=accept, description="Upload")
    path = ipywidgets.Text(placeholder="or the path of a file on this computer")
    upload.observe(lambda _: setattr(path, "value", ""), "value")  # the latest choice counts

    def act() -> None:
        if path.value.strip():
            file = Path(path.value.strip()).expanduser()
            handle(file.read_bytes(), file.name)
        elif upload.value:
            handle(bytes(upload.value[0]["content"]), upload.value[0]["name"])
        else:
            raise HelpfulError("Upload a file or type the path of one, then press the button.")

    return _box([upload, path], label, act)


def text_box(handle: Callable[[str], Any], placeholder: str, label: str) -> ipywidgets.Widget:
    """A line of text and a button; ``handle(text)`` prints or displays what is shown below.

    Args:
        handle: called with the text, stripped.
        placeholder: what the empty line says.
        label: what the button says.

    Mistakes show as one sentence below the box.
    """
    text = ipywidgets.Text(placeholder=placeholder, layout=ipywidgets.Layout(width="420px"))

    def act() -> None:
        if not text.value.strip():
            raise HelpfulError(f"Type something first ({placeholder}), then press the button.")
        handle(text.value.strip())

    return _box([text], label, act)


def _box(
    inputs: Sequence[ipywidgets.Widget], label: str, act: Callable[[], None]
) -> ipywidgets.Widget:
    button, result = run_button(label, act)
    return ipywidgets.VBox([ipywidgets.HBox([*inputs, button]), result])


def run_button(label: str, act: Callable[[], Any]) -> tuple[ipywidgets.Button, ipywidgets.Output]:
    """A button, and the place that shows what ``act`` prints or displays when it is pressed.

    Mistakes show there as one sentence.
    """
    button = ipywidgets.Button(description=label, button_style="primary")
    result = ipywidgets.Output()

    def run(_: Any) -> None:
        result.clear_output()
        with result, explained():  # any other error result shows with its traceback
            act()

    button.on_click(run)
    return button, result


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Print mistakes that the reader can mend as one sentence instead of raising them."""
    try:
        yield
    except (HelpfulError, BadItem) as error:
        print(error)
    except OSError as error:
        print(f"{error.filename or 'The file'} could not be read: {error.strerror or error}.")
