"""Sound files of any kind as mono samples; only the part that is needed is ever read."""

import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
import soxr

from helpers.errors import BadItem

SOUND_SUFFIXES = frozenset(
    [".aif", ".aifc", ".aiff", ".au", ".caf", ".flac", ".mp3", ".oga", ".ogg", ".opus", ".w64"]
    + [".wav", ".wave"]
)
MAX_SECONDS = 60  # of a sound are read: enough to tell what it is, and memory stays flat
_SILENT = 1e-4  # peak of samples that reach from -1 to 1: -80 dB, below what one can hear
_MAX_CHANNELS, _MAX_RATE = 64, 1_000_000  # more comes from a damaged header
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

    Args:
        item: the path of a file of a kind that libsndfile knows (WAV, FLAC, Ogg, MP3, AIFF and
            more; its content, not its name, says which), the bytes of one, or a ``Sound``.
        rate: samples per second of the result; None keeps those of the file.

    Raises:
        BadItem: it is empty, no sound file, damaged, silent, or holds NaN.
        OSError: there is no such file, or it cannot be read.
    """
    sound = item if isinstance(item, Sound) else _read(item)
    samples = np.asarray(sound.samples[: MAX_SECONDS * sound.rate], dtype=np.float32)
    if not len(samples):
        raise BadItem("a sound file without sound in it")
    if not np.isfinite(samples).all():
        raise BadItem("holds samples that are not numbers")
    if np.abs(samples).max() < _SILENT:
        raise BadItem("silence: nothing in it is louder than -80 dB")
    if rate in (None, sound.rate):
        return Sound(samples, sound.rate)
    return Sound(soxr.resample(samples, sound.rate, rate), rate)


def seconds_of(item: Path | str | bytes) -> float:
    """How long a sound file is in all, as its header says; nothing else of it is read.

    Raises:
        BadItem: it is empty or no sound file.
        OSError: there is no such file, or it cannot be read.
    """
    with _open(item) as file:
        return file.frames / file.samplerate


def without_silence(samples: np.ndarray) -> np.ndarray:
    """Cut off both ends of a sound as far as they are quiet: 40 dB below its loudest sample.

    Args:
        samples: float32, (n,), not all of them zero.
    """
    loudness = np.abs(samples)
    loud = np.flatnonzero(loudness >= loudness.max() / 100)
    return samples[loud[0] : loud[-1] + 1]


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
    samples = librosa.effects.pitch_shift(
        sound.samples, sr=sound.rate, n_steps=semitones, n_fft=min(1024, len(sound.samples))
    )
    return Sound(samples, sound.rate)


def _read(item: Path | str | bytes) -> Sound:
    with _open(item) as file:
        try:
            channels = file.read(MAX_SECONDS * file.samplerate, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise BadItem(_BAD) from error
        return Sound(_mix(channels), file.samplerate)


def _mix(channels: np.ndarray) -> np.ndarray:
    """The mean of the channels, or the loudest of them where they cancel each other out."""
    mean = channels.mean(axis=1)
    power = (channels**2).sum(axis=0)
    if len(power) and (mean**2).sum() < 1e-6 * power.max():
        return channels[:, power.argmax()]
    return mean


def _open(item: Path | str | bytes) -> soundfile.SoundFile:
    if isinstance(item, bytes):
        size, source = len(item), io.BytesIO(item)
    else:
        path = Path(item).expanduser()
        size, source = path.stat().st_size, path
    if not size:
        raise BadItem("an empty file")
    try:
        file = soundfile.SoundFile(source)
    except (soundfile.LibsndfileError, TypeError) as error:  # TypeError: a name such as x.raw
        raise BadItem(_BAD) from error
    if file.samplerate > _MAX_RATE or file.channels > _MAX_CHANNELS:
        file.close()
        raise BadItem(_BAD)
    return file
