"""The controls for videos: an object at a time, and a video to upload."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ipywidgets

from helpers.errors import HelpfulError
from helpers.scenarios.video.track import Track, boxes_at
from helpers.widgets import file_box, run_button


def object_chooser(
    tracks: Sequence[Track],
    names: dict[int, str],
    frames: Sequence[int],
    rate: float,
    show: Callable[[Track, int], Any],
) -> ipywidgets.Widget:
    """A slider for the time, a list of the objects that are there then, and a button.

    Args:
        tracks: all objects.
        names: track number -> name; a track without one is called unknown.
        frames: numbers of the frames to choose from, at least one.
        rate: frames per second of the video.
        show: called with a track and a frame number; what it displays is shown below.

    Mistakes show as one sentence below the box.
    """
    clock = ipywidgets.SelectionSlider(
        options=[(f"{number / rate:.1f} s", number) for number in frames], description="time"
    )
    things = ipywidgets.Dropdown(description="object")

    def offer(_: Any = None) -> None:
        """List what is there; keep what was chosen, if it is still there."""
        last, (there, _, _) = things.value, boxes_at(tracks, clock.value)
        numbers = [track.number for track in there]
        things.options = [
            (f"{number} {names.get(number, 'unknown')}", number) for number in numbers
        ]
        things.value = last if last in numbers else next(iter(numbers), None)

    def display_one() -> None:
        chosen = [track for track in tracks if track.number == things.value]
        if not chosen:
            raise HelpfulError("Nothing was found at this time; choose another.")
        show(chosen[0], clock.value)

    offer()
    clock.observe(offer, "value")
    button, result = run_button("Show", display_one)
    return ipywidgets.VBox([ipywidgets.HBox([clock, things, button]), result])


def video_box(handle: Callable[[Path], Any], label: str) -> ipywidgets.Widget:
    """A box to upload a video or name one by its path, and to see what is made of it.

    Args:
        handle: called with the path of the video, which is gone afterwards if it was uploaded.
        label: what the button says.

    Mistakes show as one sentence below the box.
    """

    def keep(content: bytes, name: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"video{Path(name).suffix}"
            path.write_bytes(content)
            handle(path)

    return file_box(keep, accept="video/*", label=label)
