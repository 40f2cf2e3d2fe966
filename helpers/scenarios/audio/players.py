"""Sounds in a notebook: pictures of them for every reader, and players where a page can play."""

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.ticker import MaxNLocator

from helpers.errors import BadItem
from helpers.inputs.texts import as_html, lines_of, shortened
from helpers.scenarios.audio.sounds import Sound, encoded, read_sound
from helpers.show import COLOURS, MARKS, show_figure

_RATE = 22_050  # Hz: half the size of a CD's, and all that a picture this small can show
_DRAWN, _PLAYED = 1, 3  # seconds of a sound
_CAPTION = 136  # pixels, the width of a caption
_FRAME, _HOP, _BANDS = 1024, 128, 64
_RANGE = 60  # dB between the strongest spot and what is drawn as nothing
_COLOURS = "magma_r"  # from white, which is nothing, to black
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
    """The mel spectrogram of a sound in dB below its strongest spot: (64, frames), 0 to -60."""
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
    A sound that cannot be read leaves its place empty, with the reason in the place of its player.

    Args:
        rows: the first of each row is the query, the others are its results; rows may differ in
            length.
    """
    sounds = [[_start(tile.sound) for tile in row] for row in rows]
    captions = [[MARKS[tile.right][0] + tile.caption for tile in row] for row in rows]
    columns = max(map(len, rows))
    figure, grid = plt.subplots(
        len(rows), columns, figsize=(0.6 + 1.75 * columns, 0.3 + 1.5 * len(rows)), squeeze=False
    )
    figure.subplots_adjust(wspace=0.08, hspace=0.32)
    lengths = [sound.seconds for row in sounds for sound in row if isinstance(sound, Sound)]
    drawn = min(_DRAWN, max(lengths, default=_DRAWN))
    for line, (row, tiles) in enumerate(zip(sounds, rows, strict=True)):
        for place, (sound, tile) in enumerate(zip(row, tiles, strict=True)):
            axes = grid[line, place]
            _draw(axes, sound, drawn)
            colour = MARKS[tile.right][1]
            title = shortened(captions[line][place], _CAPTION)
            axes.set_title(title, color=colour, fontsize=10, pad=4)
            for spine in axes.spines.values():
                spine.set(color=colour, linewidth=3 if tile.right is not None else 1)
            last = line + 1 == len(rows) or place >= len(rows[line + 1])
            axes.set_xlabel("time (s)" if last else "")
            axes.tick_params(labelbottom=last, labelleft=place == 0)
            axes.set_ylabel("frequency (kHz)" if place == 0 else "")
        for axes in grid[line, len(row) :]:
            axes.axis("off")
    scale = ScalarMappable(Normalize(-_RANGE, 0), _COLOURS)
    bar = figure.colorbar(scale, ax=grid, pad=0.01, fraction=0.025, aspect=40)
    bar.set_label("level (dB)")
    show_figure(figure)
    _show_players(sounds, captions)


def show_log_mel(pictures: Mapping[str, np.ndarray], step: float, highest: float) -> None:
    """Show the pictures that the network looks at, side by side, on one scale of colours.

    Args:
        pictures: title -> (columns, bands).
        step: seconds from one column to the next.
        highest: the frequency at which the bands end, in Hz.
    """
    largest = max(picture.max() for picture in pictures.values())
    figure, grid = plt.subplots(
        1, len(pictures), figsize=(0.6 + 3.4 * len(pictures), 2.8), squeeze=False, sharey=True
    )
    figure.subplots_adjust(wspace=0.08)
    for axes, (title, picture) in zip(grid[0], pictures.items(), strict=True):
        extent = (0, len(picture) * step, 0, picture.shape[1])
        shown = axes.imshow(
            picture.T, origin="lower", aspect="auto", extent=extent, cmap=_COLOURS,
            vmin=0, vmax=largest,
        )  # fmt: skip
        mel = np.log1p(np.array([*_KILOHERTZ, highest / 1000]) * 1000 / 700)
        axes.set_yticks(mel[:-1] / mel[-1] * picture.shape[1], _KILOHERTZ)
        axes.xaxis.set_major_locator(MaxNLocator(4, prune="upper"))  # the next one begins there
        axes.set(title=title, xlabel="time (s)")
    grid[0, 0].set_ylabel("frequency (kHz)")
    figure.colorbar(shown, ax=grid, pad=0.01, label="value (no unit)")
    show_figure(figure)


def show_sound_map(points: np.ndarray, labels: Sequence[str]) -> None:
    """Show vectors as a map: the seven largest types in colours, all others grey.

    Args:
        points: (n, 2), a projection of the vectors.
        labels: n types.
    """
    labels = np.asarray(labels)
    largest = [name for name, _ in Counter(labels.tolist()).most_common(len(COLOURS) - 1)]
    figure, axes = plt.subplots(figsize=(8, 6))
    others = ~np.isin(labels, largest)
    if others.any():
        axes.scatter(*points[others].T, s=18, color="#BBBBBB", label="all others")
    colours = COLOURS[:6] + COLOURS[7:]  # without yellow, which is faint on white
    for name, colour, shape in zip(largest, colours, "os^DvPX", strict=False):
        title = shortened(name, _CAPTION)
        axes.scatter(*points[labels == name].T, s=36, color=colour, marker=shape, label=title)
    axes.set(xlabel="t-SNE dimension 1 (no unit)", ylabel="t-SNE dimension 2 (no unit)")
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    show_figure(figure)


def player(sound: Sound) -> str:
    """An HTML player with the sound in it, as a small MP3."""
    mp3 = encoded(sound, "MP3", compression_level=0.5, bitrate_mode="VARIABLE")
    data = base64.b64encode(mp3).decode()
    return (
        '<audio controls preload="none" style="width:150px;min-width:150px;height:30px" '
        f'src="data:audio/mpeg;base64,{data}"></audio>'
    )


def _start(item: Any) -> Sound | str:
    """What is shown of a sound, or why there is nothing."""
    try:
        sound = read_sound(item, _RATE)
    except BadItem as error:
        return str(error)
    return Sound(sound.samples[: _PLAYED * _RATE], _RATE)


def _draw(axes: Axes, sound: Sound | str, seconds: float) -> None:
    import librosa

    bands = librosa.mel_frequencies(_BANDS, fmax=_RATE / 2) / 1000
    axes.set_yticks(np.interp(_KILOHERTZ, bands, np.arange(_BANDS)), _KILOHERTZ)
    axes.xaxis.set_major_locator(MaxNLocator(3, prune="upper"))  # the next picture begins there
    if isinstance(sound, Sound):
        values = decibels(sound)
        extent = (0, values.shape[1] * _HOP / _RATE, 0, _BANDS)
        axes.imshow(
            values,
            origin="lower",
            aspect="auto",
            extent=extent,
            cmap=_COLOURS,
            vmin=-_RANGE,
            vmax=0,
        )
    else:
        axes.text(0.5, 0.5, "no sound", transform=axes.transAxes, ha="center", va="center")
    axes.set(xlim=(0, seconds), ylim=(0, _BANDS))


def _show_players(
    sounds: Sequence[Sequence[Sound | str]], captions: Sequence[Sequence[str]]
) -> None:
    from IPython.display import display

    rows = "".join(
        f"<tr>{''.join(map(_cell, *both))}</tr>" for both in zip(sounds, captions, strict=True)
    )
    words = "\n".join(" | ".join(map(lines_of, row)) for row in captions)
    display({"text/html": f"<table>{rows}</table>", "text/plain": words}, raw=True)


def _cell(sound: Sound | str, caption: str) -> str:
    below = as_html(sound) if isinstance(sound, str) else player(sound)
    return f'<td style="text-align:left">{as_html(caption)}<br>{below}</td>'
