"""Sets of sounds, each with its type: drums, voices and games; single notes of instruments; own."""

import re
import shutil
import struct
from collections import Counter
from pathlib import Path

import numpy as np
from filelock import FileLock

from helpers.assets import fetch
from helpers.errors import HelpfulError
from helpers.inputs.files import by_folder, list_files
from helpers.paths import cache_dir
from helpers.scenarios.audio.sounds import SOUND_SUFFIXES, Sound, encoded, is_sound

# FoxDot keeps its sounds by the key that plays them: a letter's folder, with small and capital
# letters apart. What each key plays is in its table DESCRIPTIONS and in the names of the files;
# folders of loosely related things, such as "ambient stabs" and "misc. fx", are left out.
_FOXDOT = {
    "kick": ["a/upper", "v/lower", "v/upper", "x/lower", "x/upper"],
    "snare": ["d/upper", "i/lower", "i/upper", "o/lower", "o/upper", "u/lower"],
    "hi-hat": ["_/colon", "_/equals", "_/hyphen", "a/lower", "n/lower", "n/upper"],
    "cymbal": ["_/hash", "_/tilde"],
    "clap": ["_/asterix", "h/upper"],
    "tom": ["m/lower", "m/upper"],
    "conga": ["c/lower"],
    "tabla": ["p/lower", "p/upper"],
    "rimshot": ["t/lower"],
    "cowbell": ["e/lower", "t/upper"],
    "metal": ["r/lower", "r/upper"],
    "hangdrum": ["_/bar"],
    "scratch": ["z/lower"],
    "noise": ["_/at", "_/percent"],
    "voice": ["_/1", "_/2", "_/3", "_/4", "_/exclamation", "c/upper"],
    "laser": ["_/backslash"],
}
_FEWEST = 4  # sounds of a type; of fewer, hardly any could be found
_FEWEST_NOTES, _SHORTEST_NOTE = 5, 0.1  # seconds
_NOTE = re.compile(r"(.+?)[ -]+([A-G][#bx]?\d(?: ?[FMP])?)")  # as in "Alto Sax-F#5"


def load_sounds(source: Path | str = "sounds") -> dict[Path, str]:
    """Sound files and the type of each.

    Args:
        source: ``"sounds"`` for the named types of FoxDot's sounds and those of games;
            ``"instruments"`` for single notes of instruments, out of a sound font; or the path of
            your own folder, zip or tar of sounds.

    Returns:
        Path -> type, in a fixed order. An own sound's type is the name of its folder. Own files
        that do not begin like a sound file are left out, counted and named.

    Raises:
        HelpfulError: there is nothing at that path, or no sound in it.
        AssetError: the data set could not be fetched.
    """
    if source == "sounds":
        return _foxdot() | _games()
    if source == "instruments":
        return _instruments()
    return by_folder(source, SOUND_SUFFIXES, is_sound, "sound")


def read_sound_font(path: Path) -> dict[str, Sound]:
    """The samples in a sound font of the kind SF2: name -> sound, in the order of the file.

    A sound font is a RIFF file: chunks with a four-letter name and a length, some of which hold
    others. ``smpl`` holds all samples as 16-bit numbers, ``shdr`` a record of 46 bytes for each:
    its name, where it begins and ends, and its rate.

    Source: SoundFont Technical Specification 2.04, section 7.10.

    Raises:
        HelpfulError: it is no sound font, or damaged.
    """
    content = path.read_bytes()
    chunks = _riff_chunks(content, 12, len(content)) if content[8:12] == b"sfbk" else {}
    if not {b"smpl", b"shdr"} <= chunks.keys():
        raise HelpfulError(f"{path.name} is no sound font (SF2), or damaged; get it again.")
    samples = np.frombuffer(chunks[b"smpl"][: len(chunks[b"smpl"]) // 2 * 2], dtype="<i2")
    headers, found = chunks[b"shdr"], {}
    for at in range(0, len(headers) - 91, 46):  # the last record only marks the end
        name, start, end, rate = struct.unpack_from("<20sII8xI", headers, at)
        if start < end <= len(samples) and rate:
            values = samples[start:end].astype(np.float32) / 32768
            found[name.split(b"\0")[0].decode("latin-1").strip()] = Sound(values, rate)
    return found


def odd_files(folder: Path) -> list[Path]:
    """Write seven sound files of the kinds that break programs; four of them can be read.

    Args:
        folder: an existing folder.

    Returns:
        Their paths: a click of 10 ms, silence, 8 kHz mono, 96 kHz stereo, an empty file, a text
        that calls itself .wav, and an hour of sound.
    """
    tone = 0.5 * np.sin(np.arange(96_000) / 20).astype(np.float32)
    files = {
        "10 ms click.wav": encoded(Sound(tone[:441], 44_100), "WAV"),
        "silence.wav": encoded(Sound(0 * tone, 44_100), "WAV"),
        "8 kHz mono.wav": encoded(Sound(tone, 8_000), "WAV"),
        "96 kHz stereo.flac": encoded(Sound(np.stack([tone, tone], axis=1), 96_000), "FLAC"),
        "zero bytes.wav": b"",
        "text.wav": b"Not a sound, whatever its name says.",
        "an hour.wav": encoded(Sound(np.tile(tone, 300), 8_000), "WAV"),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in files]


def _riff_chunks(content: bytes, start: int, end: int) -> dict[bytes, memoryview]:
    found: dict[bytes, memoryview] = {}
    while start + 8 <= end:
        name, size = struct.unpack_from("<4sI", content, start)
        inside = start + 8
        if name == b"LIST":
            found |= _riff_chunks(content, inside + 4, min(end, inside + size))
        else:
            found[name] = memoryview(content)[inside : inside + size]
        start = inside + size + size % 2
    return found


def _foxdot() -> dict[Path, str]:
    folder = fetch("foxdot_sounds")
    return {
        path: kind
        for kind, places in _FOXDOT.items()
        for place in places
        for path in list_files(folder / place, SOUND_SUFFIXES)
    }


def _games() -> dict[Path, str]:
    """Sounds of games; the type is the file's name without its number."""
    kinds = {path: path.stem.rstrip("0123456789") for path in _wav_files(fetch("game_sounds"))}
    count = Counter(kinds.values())
    return {path: kind for path, kind in kinds.items() if count[kind] >= _FEWEST}


def _wav_files(folder: Path) -> list[Path]:
    return list_files(folder, {".wav"})  # a few are there as .ogg and .mp3 again


def _instruments() -> dict[Path, str]:
    """Notes of instruments with at least five, as WAV files in the cache."""
    font = fetch("soundfont")
    folder = cache_dir() / f"{font.stem}-notes"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            draft = folder.with_name(f"{folder.name}.draft")
            _write_notes(read_sound_font(font), draft)
            draft.rename(folder)  # in one step: a run that dies leaves nothing half done
    return {path: path.parent.name for path in _wav_files(folder)}


def _write_notes(sounds: dict[str, Sound], folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    notes = {
        (match[1].strip(), match[2]): sound
        for name, sound in sounds.items()
        if (match := _NOTE.fullmatch(name)) and sound.seconds >= _SHORTEST_NOTE
    }
    count = Counter(instrument for instrument, _ in notes)
    for (instrument, note), sound in notes.items():
        if count[instrument] >= _FEWEST_NOTES:
            place = folder / instrument.rstrip(".")
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{note}.wav").write_bytes(encoded(sound, "WAV"))
