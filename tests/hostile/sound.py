"""Sounds of every kind that people have, whole and broken."""

import io
import os
import struct
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch

from helpers.errors import BadItem
from helpers.ingest import encode_batches
from helpers.scenarios.audio.sounds import read_sound
from tests.hostile.form import Case, LeftOut, Read, each
from tests.notebooks.subject import subject

RATE = 44_100
TONE = (0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE // 2) / RATE)).astype(np.float32)
NOISE = np.random.default_rng(0).normal(0, 0.1, 10 * RATE).astype(np.float32)
ID3 = b"ID3\x03\0\0\0\0\x07\x76" + bytes(1014)  # a tag of 1,014 bytes
MP3_IN_WAV = 0x55  # the number of MP3 among the formats of WAV


def written(kind: str, samples: np.ndarray = TONE, rate: int = RATE, subtype: str = "") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=kind, subtype=subtype or None)
    return file.getvalue()


def wav(
    data: bytes, *, kind: int = 1, channels: int = 1, rate: int = RATE, bits: int = 16,
    length: int | None = None, before: bytes = b"", more: bytes = b"",
) -> bytes:  # fmt: skip
    """A WAV put together by hand, with whatever its header says."""
    align = channels * bits // 8
    form = struct.pack("<HHIIHH", kind, channels, rate, rate * align % 2**32, align, bits) + more
    body = b"WAVE" + before + b"fmt " + struct.pack("<I", len(form)) + form
    body += b"data" + struct.pack("<I", len(data) if length is None else length) + data
    return b"RIFF" + struct.pack("<I", len(body) if length is None else length) + body


def endless_flac() -> bytes:
    """A FLAC that came out of a pipe: its header does not know how long it is."""
    content = bytearray(written("FLAC"))
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    return bytes(content)


def patched(content: bytes, place: int, form: str, value: int) -> bytes:
    changed = bytearray(content)
    struct.pack_into(form, changed, place, value)
    return bytes(changed)


def scrambled(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + np.random.default_rng(1).bytes(500) + content[middle + 500 :]


def file(content: bytes | Callable[[], bytes], name: str = "x.wav") -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / name
        Path(os.fsdecode(path)).write_bytes(content if isinstance(content, bytes) else content())
        return path

    return make


def pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe.wav")
    return folder / "pipe.wav"


def link_to_nothing(folder: Path) -> Path:
    (folder / "link.wav").symlink_to(folder / "gone.wav")
    return folder / "link.wav"


def a_folder(folder: Path) -> Path:
    (folder / "folder.wav").mkdir()
    return folder / "folder.wav"


def heard(item: Any) -> tuple[float, float, float]:
    """Seconds, peak, and the frequency in Hz at which a sound is strongest."""
    samples, rate = read_sound(item)
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return (
        len(samples) / rate,
        float(np.abs(samples).max()),
        spectrum.argmax() * rate / len(samples),
    )


def read_bytes(item: Path) -> tuple[float, float, float]:
    """As an upload is read."""
    try:
        return heard(item.read_bytes())
    except OSError as error:
        raise BadItem(error.strerror) from None


@cache
def encoder() -> Any:
    """The notebook's encoder, with one layer of random numbers in the place of the network."""
    made = subject("04_audio_search", COLLECTION="x")["AiSfx"]()
    torch.manual_seed(0)
    made.network = torch.nn.Conv2d(1, made.dim, 8, stride=8)
    return made


def ingest(items: list[Path], folder: Path) -> list:
    batches = encode_batches(items, encoder(), unit="sound")
    found: dict[Path, Any] = {}
    for _, paths, vectors in batches:
        found |= dict(zip(paths, vectors, strict=True))
    found |= {path: LeftOut(reason) for path, reason in batches.skipped}
    return [found[path] for path in items]


def is_tone(seconds: float = 0.5, peak: float = 0.5, hertz: float = 440) -> Read:
    def is_right(value: Any) -> bool:
        if isinstance(value, np.ndarray):
            return abs(np.linalg.norm(value) - 1) < 1e-3
        long, loud, high = value
        return abs(long - seconds) < 0.07 and abs(loud - peak) < 0.05 and abs(high - hertz) < 6

    return Read(is_right)


def lasts(least: float, most: float) -> Read:
    return Read(lambda value: isinstance(value, np.ndarray) or least <= value[0] <= most)


GOOD = [
    file(written("WAV", 0.8 * TONE), "tone.wav"),
    file(written("FLAC", NOISE[:RATE]), "noise.flac"),
]
READERS = {"read_sound": each(heard), "bytes": each(read_bytes), "ingest": ingest}
PATHS = ("read_sound", "ingest")
PCM = (TONE * 32767).astype("<i2").tobytes()
MP3 = written("MP3")
LONG_MP3 = written("MP3", NOISE)
NOT_ONE = LeftOut("not a sound file")

CASES = [
    # every number format, scaled as its kind says
    *[
        Case(f"WAV {subtype}", file(written("WAV", subtype=subtype)), is_tone())
        for subtype in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")
    ],
    Case("WAV IMA_ADPCM", file(written("WAV", subtype="IMA_ADPCM")), is_tone()),
    Case("12 of 16 bits", file(wav(PCM, bits=12)), is_tone()),
    *[
        Case(kind, file(written(kind), f"x.{kind.lower()}"), is_tone())
        for kind in ("FLAC", "OGG", "AIFF", "AU", "CAF", "W64", "RF64", "WAVEX")
    ],
    Case("MP3", file(MP3, "x.mp3"), is_tone()),
    Case("MP3 in a WAV", file(wav(MP3, kind=MP3_IN_WAV, bits=0, more=bytes(14))), Read()),
    Case("float beyond 1", file(written("WAV", TONE * 65536, subtype="FLOAT")), is_tone(peak=1)),
    Case("float far beyond 1", file(written("WAV", TONE * 1e30, subtype="FLOAT")), is_tone(peak=1)),
    Case("quiet", file(written("WAV", TONE * 0.002, subtype="FLOAT")), is_tone(peak=0.001)),
    # channels and rates
    *[
        Case(f"{count} channels", file(written("WAV", np.stack([TONE] * count, axis=1))), is_tone())
        for count in (2, 3, 6, 8)
    ],
    Case("opposite channels", file(written("WAV", np.stack([TONE, -TONE], axis=1))), is_tone()),
    Case(
        "one channel of two silent",
        file(written("WAV", np.stack([TONE, 0 * TONE], axis=1))),
        is_tone(peak=0.25),
    ),
    *[
        Case(f"{rate} Hz", file(written("WAV", TONE, rate)), is_tone(RATE / 2 / rate, hertz=high))
        for rate, high in ((8_000, 79.8), (22_050, 220), (96_000, 957.8), (192_000, 1915.6))
    ],
    Case("1 Hz", file(wav(PCM[:200], rate=1)), lasts(50, 60)),
    # headers
    Case("length 0: a recording that broke off", file(wav(PCM, length=0)), is_tone()),
    Case("length 4 GB: out of a pipe", file(wav(PCM, length=2**32 - 1)), is_tone()),
    Case("FLAC out of a pipe", file(endless_flac(), "x.flac"), is_tone()),
    Case("a list before", file(wav(PCM, before=b"LIST\x04\0\0\0INFO")), is_tone()),
    Case("a padded odd chunk before", file(wav(PCM, before=b"junk\x03\0\0\0abc\0")), is_tone()),
    Case("no channels", file(wav(PCM, channels=0)), NOT_ONE),
    Case("a rate of 0", file(wav(PCM, rate=0)), NOT_ONE),
    Case("a rate of 2 GHz", file(wav(PCM, rate=2_000_000_000)), NOT_ONE),
    Case("1,000 channels", file(wav(PCM, channels=1000)), NOT_ONE),
    Case("an unknown number format", file(wav(PCM, kind=0xBEEF)), NOT_ONE),
    Case("a header and no more", file(written("WAV")[:20]), NOT_ONE),
    # junk before the first frame, and after the last
    *[
        Case(f"MP3 after {name}", file(junk + MP3, "x.mp3"), is_tone())
        for name, junk in {
            "zeros": bytes(700),
            "text": b"some text\r\n" * 300,
            "an ID3 tag": ID3,
            "two ID3 tags": ID3 + ID3,
            "random bytes": np.random.default_rng(2).bytes(5000),
            "a tag that says it is longer": b"ID3\x03\0\0\0\0\x7f\x00" + bytes(1014),
        }.items()
    ],  # fmt: skip
    Case("FLAC after an ID3 tag", file(ID3 + written("FLAC"), "x.flac"), is_tone()),
    Case("FLAC after a line end", file(b"\r\n" + written("FLAC"), "x.flac"), is_tone()),
    Case("Ogg after zeros", file(bytes(64) + written("OGG"), "x.ogg"), is_tone()),
    Case("WAV after zeros", file(bytes(64) + written("WAV")), is_tone()),
    Case("MP3 before tags", file(MP3 + b"TAG" + bytes(125), "x.mp3"), is_tone()),
    # names
    Case("bytes that are not UTF-8", file(written("WAV"), os.fsdecode(b"\xff\xfe.wav")), is_tone()),
    Case("a name of a format", file(written("WAV"), "x.raw"), is_tone()),
    Case("a WAV named MP3", file(written("WAV"), "x.mp3"), is_tone()),
    Case("an MP3 named WAV", file(MP3), is_tone()),
    Case("no ending", file(MP3, "sound"), is_tone()),
    Case("a name like a link", file(written("WAV"), "file:x?.wav"), is_tone()),
    Case("line end, quotes, $", file(written("WAV"), "a\n\"b' $c$ <d>.wav"), is_tone()),
    Case("a named pipe", pipe, LeftOut("pipe"), readers=PATHS),
    Case("a folder", a_folder, LeftOut("folder"), readers=PATHS),
    Case("a link to nothing", link_to_nothing, LeftOut("No such file")),
    Case("a device", lambda folder: Path("/dev/zero"), LeftOut("device"), readers=PATHS),
    # damaged
    *[
        Case(f"{kind} cut short", file(content[: len(content) // 2]), lasts(2, 6))
        for kind, content in {
            "WAV": written("WAV", NOISE),
            "FLAC": written("FLAC", NOISE),
            "MP3": LONG_MP3,
            "Ogg": written("OGG", NOISE),
        }.items()
    ],  # fmt: skip
    Case("MP3 scrambled in its middle", file(scrambled(LONG_MP3), "x.mp3"), lasts(3, 11)),
    Case("WAV scrambled in its middle", file(scrambled(written("WAV", NOISE))), lasts(9, 11)),
    # nothing in it
    Case("no bytes", file(b""), LeftOut("empty")),
    Case("no samples", file(written("WAV", TONE[:0])), LeftOut("without sound")),
    Case("no samples, Ogg", file(written("OGG", TONE[:0]), "x.ogg"), LeftOut("without sound")),
    Case("one sample", file(written("WAV", TONE[50:51])), lasts(0, 0.001)),
    Case("two samples", file(written("WAV", TONE[50:52])), lasts(0, 0.001)),
    Case("silence", file(written("WAV", 0 * TONE)), LeftOut("silence")),
    Case("8-bit silence", file(wav(b"\x80" * RATE, bits=8)), LeftOut("silence")),
    Case("silence beside zero", file(wav(b"\x7f" * RATE, bits=8)), LeftOut("silence")),
    Case("NaN", file(written("WAV", TONE * np.nan, subtype="FLOAT")), LeftOut("not numbers")),
    Case(
        "one NaN",
        file(written("WAV", np.where(np.arange(len(TONE)) == 9, np.nan, TONE), subtype="FLOAT")),
        LeftOut("not numbers"),
    ),
    Case("infinite", file(written("WAV", TONE + np.inf, subtype="FLOAT")), LeftOut("not numbers")),
    # large
    Case(
        "three minutes",
        file(lambda: written("WAV", np.tile(TONE, 180), 22_050), "long.wav"),
        lasts(60, 60),
    ),
    Case("three minutes, MP3", file(lambda: written("MP3", np.tile(TONE, 360))), lasts(60, 60)),
    # something else
    Case("text", file(b"No sound, whatever its name says."), NOT_ONE),
    Case("a page", file(b"<html><title>Not found</title></html>" * 50, "x.mp3"), NOT_ONE),
    Case("zeros", file(bytes(10_000)), NOT_ONE),
    Case("random bytes", file(np.random.default_rng(3).bytes(10_000), "x.mp3"), NOT_ONE),
    Case("a video's head", file(b"RIFF\x64\0\0\0AVI " + bytes(100)), NOT_ONE),
    Case("M4A", file(b"\0\0\0\x18ftypM4A " + bytes(1000), "x.mp3"), NOT_ONE),
    Case("notes, MIDI", file(b"MThd\0\0\0\x06\0\0\0\x01\0\x60MTrk" + bytes(40)), NOT_ONE),
    Case("a picture", file(b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(2000), "x.mp3"), NOT_ONE),
]
