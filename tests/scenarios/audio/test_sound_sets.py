"""The sets of sounds: their types, the sound font, and a reader's own files."""

import struct
import zipfile
from collections import Counter

import numpy as np
import pytest
import soundfile

from helpers.errors import HelpfulError
from helpers.scenarios.audio import sound_sets
from helpers.scenarios.audio.sound_sets import load_sounds, odd_files, read_sound_font
from helpers.scenarios.audio.sounds import Sound, encoded, read_sound


def tone(count: int = 4_410) -> np.ndarray:
    return (0.5 * np.sin(np.arange(count) / 10)).astype(np.float32)


def test_drums_voices_and_games():
    sounds = load_sounds()
    count = Counter(sounds.values())
    assert (len(sounds), len(count)) == (247, 25)
    assert count["kick"] == 19
    assert count["laser"] == 8  # three of FoxDot, five of games
    assert min(count.values()) >= 4
    assert list(load_sounds()) == list(sounds)


def test_every_sound_can_be_read():
    for path in load_sounds():
        assert read_sound(path).seconds > 0.05


def test_types_agree_with_what_file_names_say():
    said = {
        path: kind
        for path, kind in load_sounds().items()
        for word in ("snare", "clap", "tom", "tabla", "cowbell", "ride", "crash", "hihat", "conga")
        if word in path.stem
    }
    same = {"ride": "cymbal", "crash": "cymbal", "hihat": "hi-hat"}
    assert len(said) > 80
    for path, kind in said.items():
        words = {same.get(word, word) for word in path.stem.replace("_", " ").split()}
        assert any(word.startswith(kind) or kind in word for word in words), (path, kind)


def test_notes_of_instruments():
    notes = load_sounds("instruments")
    count = Counter(notes.values())
    assert (len(notes), len(count)) == (448, 50)
    assert min(count.values()) >= 5
    assert count["Grand Piano"] == 17
    assert min(soundfile.info(path).duration for path in notes) >= 0.1
    piano = next(path for path in notes if path.parent.name == "Grand Piano" and path.stem == "C4")
    samples, rate = read_sound(piano)
    # Middle C is 262 Hz, and the first partial is the strongest within an octave of it.
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    hertz = np.arange(len(power)) * rate / len(samples)
    near = (hertz > 180) & (hertz < 370)
    assert hertz[near][power[near].argmax()] == pytest.approx(261.6, rel=0.02)


def test_notes_are_written_once_and_whole(monkeypatch, tmp_path):
    font = tmp_path / "small.sf2"
    font.write_bytes(sound_font([(f"Flute-{note}4", tone(), 22_050) for note in "CDEFG"]))
    monkeypatch.setenv("BOOTCAMP_CACHE", str(tmp_path))
    monkeypatch.setattr(sound_sets, "fetch", lambda name: font)
    (tmp_path / "small-notes.draft").mkdir()  # what a run that died has left
    notes = load_sounds("instruments")
    assert [path.stem for path in notes] == ["C4", "D4", "E4", "F4", "G4"]
    assert set(notes.values()) == {"Flute"}
    font.unlink()
    written = next(iter(notes)).stat().st_mtime_ns
    monkeypatch.setattr(sound_sets, "read_sound_font", None)
    assert load_sounds("instruments") == notes
    assert next(iter(notes)).stat().st_mtime_ns == written


def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def sound_font(sounds: list[tuple[str, np.ndarray, int]]) -> bytes:
    """A sound font with nothing but samples and their headers."""
    data, headers = b"", b""
    for name, samples, rate in sounds:
        start = len(data) // 2
        data += (samples * 32767).astype("<i2").tobytes()
        end = len(data) // 2
        data += bytes(92)  # the 46 zeros that the format wants between samples
        headers += struct.pack("<20s5IBbHH", name.encode(), start, end, 0, 0, rate, 60, 0, 0, 1)
    headers += struct.pack("<20s5IBbHH", b"EOS", *[0] * 9)
    inside = b"sfbk" + chunk(b"LIST", b"sdta" + chunk(b"smpl", data))
    inside += chunk(b"LIST", b"pdta" + chunk(b"phdr", b"odd") + chunk(b"shdr", headers))
    return chunk(b"RIFF", inside)


def test_a_sound_font_gives_its_samples(tmp_path):
    path = tmp_path / "font.sf2"
    path.write_bytes(sound_font([("First", tone(), 22_050), ("Second", -tone(100), 8_000)]))
    found = read_sound_font(path)
    assert list(found) == ["First", "Second"]
    assert found["First"].rate == 22_050
    assert np.allclose(found["First"].samples, tone(), atol=1e-4)
    assert np.allclose(found["Second"].samples, -tone(100), atol=1e-4)


def test_a_sample_that_lies_outside_is_left_out(tmp_path):
    content = bytearray(sound_font([("Good", tone(), 22_050), ("Bad", tone(), 22_050)]))
    at = content.find(b"Bad\0")
    struct.pack_into("<I", content, at + 24, 10_000_000)  # its end
    path = tmp_path / "font.sf2"
    path.write_bytes(content)
    assert list(read_sound_font(path)) == ["Good"]


@pytest.mark.parametrize("content", [b"", b"RIFF\0\0\0\0sfbk", b"RIFF\0\0\0\0WAVE" + bytes(99)])
def test_what_is_no_sound_font(content, tmp_path):
    path = tmp_path / "font.sf2"
    path.write_bytes(content)
    with pytest.raises(HelpfulError, match="font.sf2 is no sound font"):
        read_sound_font(path)


def test_own_sounds_from_a_folder_and_a_zip(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("BOOTCAMP_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "mine"
    for name in ("dogs/bark.wav", "cats/meow.flac", "cats/purr.ogg", "cats/note.mp3"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(Sound(tone(), 44_100), path.suffix[1:].upper()))
    (folder / "dogs" / "text.wav").write_text("no sound")
    (folder / "dogs" / "picture.png").write_text("not asked for")
    packed = tmp_path / "mine.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in folder.rglob("*.*"):
            archive.write(path, path.relative_to(folder))
    for source in (folder, str(packed)):
        found = {path.name: kind for path, kind in load_sounds(source).items()}
        wanted = {"note.mp3": "cats", "meow.flac": "cats", "purr.ogg": "cats", "bark.wav": "dogs"}
        assert found == wanted
        assert "1 left out, no sounds: text.wav" in capsys.readouterr().out


def test_no_sound_at_all_and_no_folder(tmp_path):
    (tmp_path / "text.wav").write_text("no sound")
    with pytest.raises(HelpfulError, match="None of these files is a sound"):
        load_sounds(tmp_path)
    with pytest.raises(HelpfulError, match="There is no file or folder"):
        load_sounds(tmp_path / "nowhere")


def test_odd_files_are_seven(tmp_path):
    paths = odd_files(tmp_path)
    assert len(paths) == len(set(paths)) == 7
    hour = next(path for path in paths if path.stem == "an hour")
    assert soundfile.info(hour).duration == 3600
    assert next(path for path in paths if path.stem == "zero bytes").stat().st_size == 0
