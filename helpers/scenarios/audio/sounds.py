"""Sound files of any kind as mono samples; only the part that is needed is ever read."""

import contextlib
import io
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import soundfile
import soxr

from helpers.errors import BadItem
from helpers.inputs.files import open_file

SOUND_SUFFIXES = frozenset(
    [".aif", ".aifc", ".aiff", ".au", ".caf", ".flac", ".mp3", ".oga", ".ogg", ".opus", ".w64"]
    + [".wav", ".wave"]
)
MAX_SECONDS = 60  # of a sound are read: enough to tell what it is, and memory stays flat
_SILENT = 1e-4  # peak of samples that reach from -1 to 1: -80 dB, below what one can hear
_MAX_CHANNELS, _MAX_RATE = 64, 768_000  # more comes from a damaged header
_BLOCK = 4096  # samples of each channel that are read at once
_LARGEST_MENDED, _JUNK = 100_000_000, 1_000_000  # bytes
# How WAV, FLAC, Ogg, AIFF and a frame of MP3 begin.
_BEGINS = re.compile(
    rb"RIFF....WAVE|fLaC\0|OggS\0\x02|FORM....AIF[FC]|\xff[\xe2\xe3\xf2\xf3\xfa\xfb][\x10-\xef].",
    re.DOTALL,
)
_KILOBITS_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0)
_KILOBITS_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0)
_LENGTH_0 = re.compile(rb"\A(RIFF.{4}WAVE.{,4000}?)data\0{4}", re.DOTALL)
_BAD = "not a sound file of a kind that can be read, or damaged; WAV, FLAC, Ogg and MP3 can be"


class Sound(NamedTuple):
    """Samples with their rate.

    Attributes:
        samples: float32, (n,), one channel, from -1 to 1.
        rate: samples per second.
    """

    samples: np.ndarray
    rate: int

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / self.rate


def read_sound(item: Path | str | bytes | Sound, rate: int | None = None) -> Sound:
    """Read a sound, at most its first ``MAX_SECONDS``, and mix its channels to one.

    A file that is cut short or damaged further on is read as far as it goes. One with samples
    beyond -1 to 1 is made fainter until they fit.

    Args:
        item: the path of a file of a kind that libsndfile knows (WAV, FLAC, Ogg, MP3, AIFF and
            more; its content, not its name, says which), the bytes of one, or a ``Sound``.
        rate: samples per second of the result; None keeps those of the file.

    Raises:
        BadItem: it is no file, empty, no sound file, damaged, silent, or holds NaN.
    """
    sound = item if isinstance(item, Sound) else _read(item)
    samples = np.asarray(sound.samples[: MAX_SECONDS * sound.rate], dtype=np.float32)
    if not len(samples):
        raise BadItem("a sound file without sound in it")
    if not np.isfinite(samples).all():
        raise BadItem("holds samples that are not numbers")
    peak = np.abs(samples).max()
    # One value over and over is not heard either: so a silent file looks if its zero is a bit off.
    if peak < _SILENT or (len(samples) > 1 and np.ptp(samples) < 2 * _SILENT):
        raise BadItem("silence: nothing in it is louder than -80 dB")
    samples = samples / max(1, peak)
    if rate in (None, sound.rate):
        return Sound(samples, sound.rate)
    return Sound(soxr.resample(samples, sound.rate, rate), rate)


def is_sound(path: Path) -> bool:
    """Whether a file begins like a sound; nothing else of it is read."""
    try:
        with _opened(path):
            return True
    except BadItem:
        return False


def encoded(sound: Sound, kind: str, **options: str | float) -> bytes:
    """A sound as the bytes of a file.

    Args:
        sound: what to write.
        kind: ``"WAV"``, ``"AU"``, ``"FLAC"``, ``"OGG"`` or ``"MP3"``.
        **options: more for ``soundfile.write``: ``subtype="FLOAT"`` keeps the samples of WAV
            and AU exactly, ``compression_level`` from 0 to 1 says how small an MP3 should be.
    """
    file = io.BytesIO()
    soundfile.write(file, sound.samples, sound.rate, format=kind, **options)
    return file.getvalue()


def with_noise(sound: Sound, decibels: float, random: np.random.Generator) -> Sound:
    """A sound with white noise that lies so many dB below it, both taken over its whole length."""
    strength = np.sqrt(np.mean(sound.samples**2)) * 10 ** (-decibels / 20)
    noise = random.normal(0, strength, len(sound.samples))
    return Sound((sound.samples + noise).astype(np.float32), sound.rate)


def shifted(sound: Sound, semitones: float) -> Sound:
    """A sound at another pitch and of the same length; 12 semitones are an octave."""
    import librosa  # here, because it takes seconds to load

    # Frames of 23 ms at 44.1 kHz: longer ones smear what is over as soon as that.
    size = min(1024, max(4, len(sound.samples)))
    padded = np.pad(sound.samples, (0, max(0, size - len(sound.samples))))
    samples = librosa.effects.pitch_shift(padded, sr=sound.rate, n_steps=semitones, n_fft=size)
    return Sound(samples[: len(sound.samples)], sound.rate)


class _File(soundfile.SoundFile):
    def seekable(self) -> bool:
        """Say no: soundfile seeks after each read, and what follows in an MP3 is then another."""
        return False


def _read(item: Path | str | bytes) -> Sound:
    """The mean of the channels, or the loudest of them where they cancel each other out."""
    with _opened(item) as file, np.errstate(invalid="ignore"):  # NaN is told of by read_sound
        means, power = [np.zeros(0, np.float32)], np.zeros(file.channels)
        for block in _blocks(file):
            means.append(block.mean(axis=1))
            power += (block.astype(np.float64) ** 2).sum(axis=0)
        mean = np.concatenate(means)
        if (mean.astype(np.float64) ** 2).sum() < 1e-6 * power.max():
            file.seek(0)
            mean = np.concatenate([block[:, power.argmax()] for block in _blocks(file)])
        return Sound(mean, file.samplerate)


def _blocks(file: _File) -> Iterator[np.ndarray]:
    """The first minute, a little at a time: (n, channels); it ends where the file is damaged."""
    left = MAX_SECONDS * file.samplerate
    while left:
        block = np.full((min(left, _BLOCK), file.channels), np.nan, np.float32)
        try:
            block = file.read(out=block)
        except soundfile.SoundFileError:
            block = block[: np.isnan(block[:, 0]).argmax()]  # as far as it was filled
            left = len(block)
        if not len(block):
            return
        yield block
        left -= len(block)


@contextlib.contextmanager
def _opened(item: Path | str | bytes) -> Iterator[_File]:
    with _copy(item) if isinstance(item, bytes) else open_file(item) as stream:
        if not stream.seek(0, io.SEEK_END):
            raise BadItem("an empty file")
        file = _sound_file(stream)
        if not file or not file.frames:
            stream.seek(0)
            with _copy(_mended(stream.read(_LARGEST_MENDED))) as copy:
                file = _sound_file(copy) or file
        if not file:
            raise BadItem(_BAD)
        with file:
            yield file


@contextlib.contextmanager
def _copy(content: bytes) -> Iterator[BinaryIO]:
    with tempfile.TemporaryFile() as stream:
        stream.write(content)
        yield stream


def _sound_file(stream: BinaryIO) -> _File | None:
    stream.seek(0)
    # By its number: by its name libsndfile takes x.raw for bare samples, and looks into what macOS
    # leaves beside a file. A number of its own, so that it does not matter who closes first.
    number = os.dup(stream.fileno())
    try:
        file = _File(number, closefd=True)
    except soundfile.SoundFileError:
        return None
    if file.samplerate <= _MAX_RATE and file.channels <= _MAX_CHANNELS:
        return file
    file.close()
    return None


def _mended(content: bytes) -> bytes:
    """A sound file without what stands before it, and with a length that went missing put right."""
    for match in _BEGINS.finditer(content[:_JUNK]):
        start = match.start()
        if content[start] == 0xFF and not _two_frames(content, start):
            continue
        # A recording that broke off, or one that went through a pipe, has 0 as its length.
        return _LENGTH_0.sub(lambda head: head[1] + b"data" + b"\xff" * 4, content[start:])
    return b""


def _two_frames(content: bytes, start: int) -> bool:
    """Whether a frame of MP3 begins there, and another of its kind where that one ends.

    Source: ISO/IEC 11172-3, section 2.4.1.3, and 13818-3 for the lower sampling rates.
    """
    _, kind, rates, *_ = content[start : start + 4]
    halved = {0b11: 0, 0b10: 1, 0b00: 2}.get(kind >> 3 & 3, 0)  # MPEG 1, 2 and 2.5
    rate = (44_100, 48_000, 32_000, 0)[rates >> 2 & 3] >> halved
    if not rate:
        return False
    kilobits = (_KILOBITS_2 if halved else _KILOBITS_1)[rates >> 4]
    length = (72_000 if halved else 144_000) * kilobits // rate + (rates >> 1 & 1)
    following = content[start + length : start + length + 3]
    same_rate = len(following) == 3 and not (following[2] ^ rates) & 0b1100
    return same_rate and following[:2] == content[start : start + 2]
