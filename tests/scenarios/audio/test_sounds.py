"""Reading sounds: every kind of file people have, and those that are none."""

import io
import struct
import tracemalloc

import numpy as np
import pytest
import soundfile

from helpers.errors import BadItem
from helpers.scenarios.audio import sounds
from helpers.scenarios.audio.sounds import (
    Sound,
    encoded,
    is_sound,
    read_sound,
    shifted,
    with_noise,
)


def tone(seconds: float = 0.5, rate: int = 44_100, hertz: float = 440) -> np.ndarray:
    time = np.arange(int(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def pitch_of(sound: Sound) -> float:
    """The frequency in Hz at which a sound is strongest."""
    spectrum = np.abs(np.fft.rfft(sound.samples * np.hanning(len(sound.samples))))
    return spectrum.argmax() * sound.rate / len(sound.samples)


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3", "AIFF"])
def test_kinds_of_files(kind, tmp_path):
    content = encoded(Sound(tone(), 44_100), kind)
    path = tmp_path / "named.wav"  # the content counts, not the name
    path.write_bytes(content)
    for item in (content, path, str(path)):
        sound = read_sound(item, 44_100)
        assert sound.samples.dtype == np.float32
        assert sound.samples.ndim == 1
        assert sound.seconds == pytest.approx(0.5, abs=0.06)  # an MP3 is padded
        assert pitch_of(sound) == pytest.approx(440, abs=4)
        assert np.abs(sound.samples).max() == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("rate", [8_000, 22_050, 48_000, 96_000])
def test_any_rate_becomes_the_wanted_one(rate):
    sound = read_sound(encoded(Sound(tone(rate=rate), rate), "WAV"), 44_100)
    assert sound.rate == 44_100
    assert len(sound.samples) == pytest.approx(22_050, abs=2)
    assert pitch_of(sound) == pytest.approx(440, abs=4)


def test_without_a_rate_the_own_one_is_kept():
    sound = read_sound(encoded(Sound(tone(rate=8_000), 8_000), "WAV"))
    assert (sound.rate, len(sound.samples)) == (8_000, 4_000)


def test_channels_are_averaged():
    left, right = tone(), tone(hertz=880)
    stereo = encoded(Sound(np.stack([left, right], axis=1), 44_100), "WAV", subtype="FLOAT")
    assert np.allclose(read_sound(stereo).samples, (left + right) / 2, atol=1e-6)


def test_channels_that_cancel_each_other_are_not_silence():
    stereo = np.stack([tone(), -tone()], axis=1)
    sound = read_sound(encoded(Sound(stereo, 44_100), "WAV", subtype="FLOAT"))
    assert np.allclose(np.abs(sound.samples), np.abs(tone()), atol=1e-6)


def test_a_sound_is_taken_as_it_is():
    sound = Sound(tone(), 44_100)
    assert np.array_equal(read_sound(sound, 44_100).samples, sound.samples)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty file"),
        (b"This is text, whatever its name says. " * 50, "not a sound file"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "not a sound file"),
        (bytes(10_000), "not a sound file"),
        (encoded(Sound(np.zeros(0, np.float32), 44_100), "WAV"), "without sound"),
        (encoded(Sound(np.zeros(44_100, np.float32), 44_100), "WAV"), "silence"),
        (encoded(Sound(tone() * 1e-4, 44_100), "WAV", subtype="FLOAT"), "silence"),
        (encoded(Sound(tone() * np.nan, 44_100), "WAV", subtype="FLOAT"), "not numbers"),
        (encoded(Sound(tone() + np.inf, 44_100), "WAV", subtype="FLOAT"), "not numbers"),
    ],
)
def test_what_is_no_sound_says_why(content, reason, tmp_path):
    path = tmp_path / "bad.wav"
    path.write_bytes(content)
    for item in (content, path):
        with pytest.raises(BadItem, match=reason):
            read_sound(item)


def test_quiet_is_not_silence():
    assert len(read_sound(encoded(Sound(tone() * 1e-3, 44_100), "WAV")).samples) == 22_050


def test_a_name_that_means_a_format_to_libsndfile(tmp_path):
    path = tmp_path / "x.raw"
    path.write_bytes(b"abc")
    with pytest.raises(BadItem, match="not a sound file"):
        read_sound(path)


def test_a_missing_file_and_a_folder(tmp_path):
    for path in (tmp_path / "none.wav", tmp_path):
        with pytest.raises(BadItem, match=r"No such file|a folder"):
            read_sound(path)


def test_a_header_that_makes_no_sense():
    content = bytearray(encoded(Sound(tone(), 44_100), "WAV"))
    struct.pack_into("<I", content, 24, 2_000_000_000)  # the rate
    with pytest.raises(BadItem, match="damaged"):
        read_sound(bytes(content))


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3"])
@pytest.mark.parametrize("damage", ["cut", "scrambled"])
def test_a_damaged_file_is_read_in_part_or_refused(kind, damage):
    content = bytearray(encoded(Sound(tone(2), 44_100), kind))
    if damage == "cut":
        content = content[: len(content) // 2]
    else:
        middle = len(content) // 2
        content[middle : middle + 500] = np.random.default_rng(0).bytes(500)
    try:
        sound = read_sound(bytes(content))
    except BadItem as error:
        assert "damaged" in str(error)
    else:
        assert 0 < sound.seconds <= 2.2
        assert np.isfinite(sound.samples).all()


def test_only_the_first_minute_of_an_hour_is_read(tmp_path):
    path = tmp_path / "hour.wav"
    with soundfile.SoundFile(path, "w", 8_000, 1) as file:
        for _ in range(60):
            file.write(tone(60, 8_000))
    tracemalloc.start()
    try:
        sound = read_sound(path, 44_100)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sound.seconds == pytest.approx(sounds.MAX_SECONDS)
    assert peak < 40e6  # the hour as floats would take 115 MB


def test_what_begins_like_a_sound(tmp_path):
    path = tmp_path / "x.wav"
    for content, expected in ((encoded(Sound(tone(), 44_100), "FLAC"), True), (b"text", False)):
        path.write_bytes(content)
        assert is_sound(path) is expected
    assert not is_sound(tmp_path)
    assert not is_sound(tmp_path / "nowhere.wav")


def test_an_mp3_is_read_as_in_one_go():
    """soundfile seeks between reads, and what follows in an MP3 is then another sound."""
    content = encoded(Sound(tone(2), 44_100), "MP3")
    expected, _ = soundfile.read(io.BytesIO(content), dtype="float32")
    assert np.array_equal(read_sound(content).samples, expected)


def test_what_macos_leaves_beside_an_mp3_does_no_harm(tmp_path):
    path = tmp_path / "tone.mp3"
    path.write_bytes(encoded(Sound(tone(), 44_100), "MP3"))
    (tmp_path / "._tone.mp3").write_bytes(bytes(4_000))
    assert pitch_of(read_sound(path)) == pytest.approx(440, abs=4)


def test_memory_does_not_grow_with_channels_and_rate(tmp_path):
    path = tmp_path / "wide.wav"
    with soundfile.SoundFile(path, "w", 192_000, 8, "PCM_U8") as file:
        for _ in range(10):
            file.write(np.tile(tone(1, 192_000)[:, None], 8))
    tracemalloc.start()
    try:
        sound = read_sound(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sound.seconds == 10
    assert peak < 6 * sound.samples.nbytes  # with all eight channels more than ten times


def test_noise_has_the_strength_asked_for():
    sound = Sound(tone(1), 44_100)
    for decibels in (0, 20):
        noisy = with_noise(sound, decibels, np.random.default_rng(0))
        noise = noisy.samples - sound.samples
        ratio = 10 * np.log10((sound.samples**2).mean() / (noise**2).mean())
        assert ratio == pytest.approx(decibels, abs=0.2)
        assert (noisy.rate, noisy.samples.dtype) == (44_100, np.float32)


def test_a_shift_moves_the_pitch_and_keeps_the_length():
    higher = shifted(Sound(tone(1), 44_100), 12)
    assert pitch_of(higher) == pytest.approx(880, rel=0.02)
    assert higher.seconds == pytest.approx(1, abs=0.01)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("count", [1, 2, 10, 441])
def test_a_click_can_be_shifted(count):
    assert len(shifted(Sound(tone(0.01)[-count:], 44_100), 2).samples) == count


def test_encoded_keeps_float_samples_exactly():
    content = encoded(Sound(tone(), 44_100), "WAV", subtype="FLOAT")
    samples, rate = soundfile.read(io.BytesIO(content), dtype="float32")
    assert rate == 44_100
    assert np.array_equal(samples, tone())
