"""Sounds in a notebook: pictures of them for every reader, and players where a page can play."""

import base64
import html
from collections.abc import Sequence
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from helpers.scenarios.audio.sounds import Sound, encoded, read_sound
from helpers.show import MARKS, show_figure

_RATE = 22_050  # Hz: half the size of a CD's, and all that a picture this small can show
_DRAWN, _PLAYED = 1, 3  # seconds of a sound
_FRAME, _HOP, _BANDS = 1024, 128, 64
_RANGE = 60  # dB between the loudest and what is drawn as silence
_KILOHERTZ = (0.25, 1, 4)  # where the frequency axis is labelled


class SoundTile(NamedTuple):
    """One sound of a grid.

    Attributes:
        sound: a path, the bytes of a file, or a ``Sound``.
        caption: a few words above it.
        right: True and False frame and mark it as right or wrong; None leaves it unmarked.
    """

    sound: Any
    caption: str = ""
    right: bool | None = None


def decibels(sound: Sound) -> np.ndarray:
    """The mel spectrogram of a sound in dB below its loudest spot: (64, frames), 0 to -60."""
    import librosa

    samples = np.pad(sound.samples, (0, max(0, _FRAME - len(sound.samples))))
    power = librosa.feature.melspectrogram(
        y=samples, sr=sound.rate, n_fft=_FRAME, hop_length=_HOP, n_mels=_BANDS
    )
    return librosa.power_to_db(power, ref=np.max, top_db=_RANGE)


def show_sounds(rows: Sequence[Sequence[SoundTile]]) -> None:
    """Show rows of sounds as spectrograms, and below them a player for each.

    All share one time axis, so that short sounds look short. At most one second of each is drawn,
    and three are played. Sites that only display a notebook show the pictures without the players.

    Args:
        rows: the first of each row is the query, the others are its results; rows may differ in
            length.

    Raises:
        BadItem: one of them is no sound that can be read.
    """
    sounds = [[_start(tile.sound) for tile in row] for row in rows]
    captions = [[MARKS[tile.right][0] + tile.caption for tile in row] for row in rows]
    columns = max(map(len, rows))
    figure, grid = plt.subplots(
        len(rows), columns, figsize=(0.6 + 1.75 * columns, 0.3 + 1.5 * len(rows)), squeeze=False
    )
    figure.subplots_adjust(wspace=0.08, hspace=0.32)
    drawn = min(_DRAWN, max(sound.seconds for row in sounds for sound in row))
    for line, (row, tiles) in enumerate(zip(sounds, rows, strict=True)):
        for place, (sound, tile) in enumerate(zip(row, tiles, strict=True)):
            axes = grid[line, place]
            picture = _draw(axes, sound, drawn)
            colour = MARKS[tile.right][1]
            axes.set_title(captions[line][place], color=colour, fontsize=10, pad=4)
            for spine in axes.spines.values():
                spine.set(color=colour, linewidth=3 if tile.right is not None else 1)
            last = line + 1 == len(rows) or place >= len(rows[line + 1])
            axes.set_xlabel("time (s)" if last else "")
            axes.tick_params(labelbottom=last, labelleft=place == 0)
            axes.set_ylabel("kHz" if place == 0 else "")
        for axes in grid[line, len(row) :]:
            axes.axis("off")
    bar = figure.colorbar(picture, ax=grid, pad=0.01, fraction=0.025, aspect=40)
    bar.set_label("loudness (dB)")
    show_figure(figure)
    _show_players(sounds, captions)


def player(sound: Sound) -> str:
    """An HTML player with the sound in it, as a small MP3."""
    mp3 = encoded(sound, "MP3", compression_level=0.5, bitrate_mode="VARIABLE")
    data = base64.b64encode(mp3).decode()
    return (
        '<audio controls preload="none" style="width:150px;height:30px" '
        f'src="data:audio/mpeg;base64,{data}"></audio>'
    )


def _start(item: Any) -> Sound:
    sound = read_sound(item, _RATE)
    return Sound(sound.samples[: _PLAYED * _RATE], _RATE)


def _draw(axes: Axes, sound: Sound, seconds: float) -> Any:
    import librosa

    values = decibels(sound)
    extent = (0, values.shape[1] * _HOP / _RATE, 0, _BANDS)
    picture = axes.imshow(
        values, origin="lower", aspect="auto", extent=extent, cmap="magma", vmin=-_RANGE, vmax=0
    )
    bands = librosa.mel_frequencies(_BANDS, fmax=_RATE / 2) / 1000
    axes.set_yticks(np.interp(_KILOHERTZ, bands, np.arange(_BANDS)), _KILOHERTZ)
    axes.xaxis.set_major_locator(MaxNLocator(3, prune="upper"))  # the next picture begins there
    axes.set(xlim=(0, seconds), ylim=(0, _BANDS), facecolor="black")
    return picture


def _show_players(sounds: Sequence[Sequence[Sound]], captions: Sequence[Sequence[str]]) -> None:
    from IPython.display import display

    rows = "".join(
        f"<tr>{''.join(map(_cell, *both))}</tr>" for both in zip(sounds, captions, strict=True)
    )
    words = "\n".join(" | ".join(row) for row in captions)
    display({"text/html": f"<table>{rows}</table>", "text/plain": words}, raw=True)


def _cell(sound: Sound, caption: str) -> str:
    return f'<td style="text-align:left">{html.escape(caption)}<br>{player(sound)}</td>'
