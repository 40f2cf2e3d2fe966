"""The controls of the "Try your own" sections; they work in JupyterLab and as a Voilà app."""

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets

from helpers.encoders import BadItem
from helpers.errors import HelpfulError


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
    button = ipywidgets.Button(description=label, button_style="primary")
    result = ipywidgets.Output()

    def run(_: Any) -> None:
        with _ShownIn(result):
            if path.value.strip():
                file = Path(path.value.strip()).expanduser()
                handle(file.read_bytes(), file.name)
            elif upload.value:
                handle(bytes(upload.value[0]["content"]), upload.value[0]["name"])
            else:
                raise HelpfulError("Upload a file or type the path of one, then press the button.")

    button.on_click(run)
    return ipywidgets.VBox([ipywidgets.HBox([upload, path, button]), result])


def text_box(
    handle: Callable[[str], Any], placeholder: str, label: str, value: str = ""
) -> ipywidgets.Widget:
    """A line of text and a button; ``handle(text)`` prints or displays what is shown below.

    Args:
        handle: called with the text, stripped.
        placeholder: what the empty line says.
        label: what the button says.
        value: the text to begin with.
    """
    text = ipywidgets.Text(
        value=value, placeholder=placeholder, layout=ipywidgets.Layout(width="420px")
    )
    button = ipywidgets.Button(description=label, button_style="primary")
    result = ipywidgets.Output()

    def run(_: Any) -> None:
        with _ShownIn(result):
            if not text.value.strip():
                raise HelpfulError(f"Type something first ({placeholder}), then press the button.")
            handle(text.value.strip())

    button.on_click(run)
    return ipywidgets.VBox([ipywidgets.HBox([text, button]), result])


class _ShownIn:
    """Show what happens inside in an output widget, and the reader's mistakes as one sentence."""

    def __init__(self, output: ipywidgets.Output) -> None:
        self._output = output

    def __enter__(self) -> None:
        self._output.clear_output()
        self._output.__enter__()

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        if isinstance(error, (HelpfulError, BadItem)):
            print(error)
        elif isinstance(error, OSError):
            print(f"{error.filename or 'The file'} could not be read: {error.strerror or error}.")
        elif error is not None:
            traceback.print_exception(kind, error, trace)
        self._output.__exit__(None, None, None)
        return True
