"""Players and spectrograms: what is shown is small, labelled and plays."""

import base64
import io
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
import soundfile
from IPython import display as shown
from PIL import Image

from helpers.scenarios.audio import players
from helpers.scenarios.audio.players import SoundTile, decibels, player, show_sounds
from helpers.scenarios.audio.sounds import Sound, encoded


def tone(seconds: float = 0.5, hertz: float = 1000) -> Sound:
    time = np.arange(int(seconds * 22_050)) / 22_050
    return Sound((0.5 * np.sin(2 * np.pi * hertz * time)).astype(np.float32), 22_050)


@pytest.fixture
def outputs(monkeypatch):
    """What was displayed: pictures, and pairs of HTML and text."""
    collected = []
    monkeypatch.setattr(shown, "display", lambda thing, **_: collected.append(thing))
    return collected


@pytest.fixture
def figures(monkeypatch):
    """The figures before they became pictures."""
    collected = []
    show_figure = players.show_figure
    monkeypatch.setattr(
        players, "show_figure", lambda figure: (collected.append(figure), show_figure(figure))
    )
    return collected


def sounds_in(html: str) -> list[bytes]:
    return [base64.b64decode(data) for data in re.findall(r"audio/mpeg;base64,([^\"]+)", html)]


def test_a_player_plays_the_sound_and_is_small():
    (mp3,) = sounds_in(player(tone(3)))
    samples, rate = soundfile.read(io.BytesIO(mp3))
    assert rate == 22_050
    assert len(samples) / rate == pytest.approx(3, abs=0.1)
    assert np.abs(np.fft.rfft(samples)).argmax() * rate / len(samples) == pytest.approx(1000, abs=2)
    assert len(mp3) < 16_000


@pytest.mark.parametrize("hertz", [300, 1000, 5000])
def test_decibels_are_largest_where_the_tone_is(hertz):
    import librosa

    values = decibels(tone(1, hertz))
    assert values.shape[0] == 64
    assert (values.max(), values.min()) == (0, pytest.approx(-60, abs=1))
    bands = librosa.mel_frequencies(64, fmax=11_025)
    loudest = values.mean(axis=1).argmax()
    assert bands[loudest] == pytest.approx(hertz, rel=0.15)


@pytest.mark.filterwarnings("error")
def test_a_click_has_a_spectrogram():
    assert decibels(tone(0.001)).shape[1] >= 1


def test_a_grid_has_a_picture_and_a_player_for_each(outputs, figures):
    rows = [
        [SoundTile(tone(), "query: <a>"), SoundTile(tone(), "b", True), SoundTile(tone(2), "c")],
        [SoundTile(encoded(tone(), "WAV"), "query: d"), SoundTile(tone(), "e", False)],
    ]
    show_sounds(rows)
    picture, page = outputs
    assert Image.open(io.BytesIO(picture.data)).width <= 1600
    assert len(sounds_in(page["text/html"])) == 5
    assert "<a>" not in page["text/html"]
    assert page["text/plain"] == "query: <a> | ✓ b | c\nquery: d | ✗ e"
    axes = figures[0].axes
    titles = [place.get_title() for place in axes]
    assert titles[:5] == ["query: <a>", "✓ b", "c", "query: d", "✗ e"]
    assert axes[0].get_ylabel() == axes[3].get_ylabel() == "frequency (kHz)"
    assert axes[3].get_xlabel() == axes[2].get_xlabel() == "time (s)"
    assert axes[-1].get_ylabel() == "level (dB)"
    assert not plt.get_fignums()


def test_one_time_axis_for_all(outputs, figures):
    show_sounds([[SoundTile(tone(0.2)), SoundTile(tone(0.6))]])
    show_sounds([[SoundTile(tone(0.2)), SoundTile(tone(5))]])
    limits = [[place.get_xlim()[1] for place in figure.axes[:2]] for figure in figures]
    assert limits[0] == pytest.approx([0.6, 0.6], abs=0.01)
    assert limits[1] == [1, 1]


def test_a_long_sound_is_played_in_part(outputs):
    show_sounds([[SoundTile(tone(20), "long")]])
    (mp3,) = sounds_in(outputs[1]["text/html"])
    assert soundfile.info(io.BytesIO(mp3)).duration == pytest.approx(3, abs=0.1)


def test_what_is_no_sound_leaves_its_place_empty(outputs, figures):
    show_sounds([[SoundTile(b"", "nothing <x>"), SoundTile(tone(), "b")], [SoundTile("gone.wav")]])
    page = outputs[1]["text/html"]
    assert len(sounds_in(page)) == 1
    assert "an empty file" in page
    assert "No such file" in page
    axes = figures[0].axes
    assert [bool(place.images) for place in axes[:3]] == [False, True, False]
    assert [text.get_text() for text in axes[0].texts] == ["no sound"]


def test_only_bad_sounds_can_be_shown(outputs):
    show_sounds([[SoundTile(b"", "nothing")]])
    assert "an empty file" in outputs[1]["text/html"]


def test_pictures_of_the_network_share_their_colours(figures, outputs):
    pictures = {"low $5_$": np.zeros((10, 96)), "high": np.ones((20, 96))}
    players.show_log_mel(pictures, step=0.1, highest=22_050)
    low, high = figures[0].axes[:2]
    assert (low.get_title(), high.get_title()) == ("low $5_$", "high")
    assert low.images[0].get_clim() == high.images[0].get_clim() == (0, 1)
    assert low.get_xlim() == (0, 1)
    assert high.get_xlim() == (0, 2)
    mel = 2595 * np.log10(1 + np.array([1000, 22_050]) / 700)
    assert low.get_yticks()[1] == pytest.approx(96 * mel[0] / mel[1])


@pytest.mark.parametrize("types", [1, 7, 9])
def test_a_map_has_at_most_eight_colours(types, figures, outputs):
    labels = [f"type {number}" for number in range(types) for _ in range(20 - number)]
    players.show_sound_map(np.random.default_rng(0).normal(size=(len(labels), 2)), labels)
    (axes,) = figures[0].axes
    drawn = {group.get_label(): group for group in axes.collections}
    assert sum(len(group.get_offsets()) for group in drawn.values()) == len(labels)
    assert len({tuple(group.get_facecolor()[0]) for group in drawn.values()}) == min(types, 8)
    assert ("all others" in drawn) == (types > 7)
    assert len(drawn["type 0"].get_offsets()) == 20
