"""The encoders of sounds: the notebook's against a plain reading of the published recipe."""

import re
import subprocess
import sys
import time

import librosa
import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional

from helpers.assets import AssetError, fetch
from helpers.errors import BadItem, HelpfulError
from helpers.ingest import encode_batches
from helpers.scenarios.audio import encoder as audio
from helpers.scenarios.audio.encoder import load_encoder
from helpers.scenarios.audio.sound_sets import load_sounds, odd_files
from helpers.scenarios.audio.sounds import Sound, encoded, read_sound
from tests.notebooks.subject import subject

NOTEBOOK = subject("04_audio_search", COLLECTION="x")
blocks_of, log_mel, settle = (NOTEBOOK[name] for name in ("blocks_of", "log_mel", "settle"))


@pytest.fixture(scope="module")
def aisfx():
    return NOTEBOOK["AiSfx"]()


@pytest.fixture(scope="module")
def some():
    """A few sounds of different types; one of them lasts several blocks."""
    paths = list(load_sounds())[::40]
    return [*paths, max(load_sounds(), key=lambda path: path.stat().st_size)]


def tone(seconds: float, rate: int = 44_100) -> Sound:
    time = np.arange(int(seconds * rate)) / rate
    return Sound((0.5 * np.sin(2 * np.pi * 440 * time)).astype(np.float32), rate)


def published(samples: np.ndarray) -> np.ndarray:
    """The recipe step by step, with librosa, plain layers and no shortcut."""
    padded = np.concatenate([np.zeros(1024), samples, np.zeros(2048)]).astype(np.float32)
    power = np.abs(librosa.stft(padded, n_fft=2048, hop_length=1024, center=False)) ** 2
    mel = librosa.filters.mel(
        sr=44_100, n_fft=2048, n_mels=96, fmin=0, fmax=22_050, htk=True, norm=None
    )
    mel /= mel.sum(axis=1, keepdims=True)
    frames = np.log10(mel @ power * 10_000 + 1).T / 9.457798957824707
    starts = range(0, max(1, len(frames) - 50), 50)
    blocks = [np.zeros((100, 96), np.float32) for _ in starts]
    for block, start in zip(blocks, starts, strict=True):
        part = frames[start : start + 100]
        block[: len(part)] = part
    weights = {
        name.removeprefix("embedding_net.conv_block"): value
        for name, value in load_file(fetch("aisfx")).items()
        if name.startswith("embedding_net.")
    }
    x = torch.from_numpy(np.stack(blocks))[:, None]
    for block in (1, 2, 3, 4):
        for half in (1, 2):
            x = functional.conv2d(x, weights[f"{block}.conv{half}.weight"], padding=1)
            norm = [weights[f"{block}.bn{half}.{name}"] for name in ("running_mean", "running_var")]
            scale = [weights[f"{block}.bn{half}.{name}"] for name in ("weight", "bias")]
            x = functional.relu(functional.batch_norm(x, *norm, *scale))
        x = functional.max_pool2d(x, 2) if block < 4 else x
    vector = x.mean(dim=3).max(dim=2).values.mean(dim=0).numpy()
    return vector / np.linalg.norm(vector)


def test_vectors_are_float32_unit_length_and_512_long(aisfx, some):
    vectors = aisfx.encode(some)
    assert vectors.shape == (len(some), aisfx.dim) == (len(some), 512)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert aisfx.metric == "IP"
    assert aisfx.encode([]).shape == (0, 512)


def test_unsettled_vectors_equal_the_published_recipe(aisfx, some, monkeypatch):
    monkeypatch.setattr(aisfx, "trim", False)
    monkeypatch.setattr(aisfx, "level", None)
    expected = np.stack([published(read_sound(path, 44_100).samples) for path in some])
    assert (aisfx.encode(some) * expected).sum(axis=1).min() > 0.9999


def test_bands_are_those_of_librosa():
    expected = librosa.filters.mel(sr=44_100, n_fft=2048, n_mels=96, htk=True, norm=1)
    assert np.allclose(NOTEBOOK["mel_bands"](), expected, atol=1e-5)


def test_silence_is_trimmed_at_both_ends_only():
    gap, sound = np.zeros(1_000, np.float32), tone(0.5).samples
    samples = np.concatenate([gap, sound, gap, sound, gap])
    kept = settle(samples, trim=True, level=None)
    assert len(kept) == pytest.approx(2 * len(sound) + 1_000, abs=50)
    assert np.array_equal(settle(kept, trim=True, level=None), kept)
    assert len(settle(np.array([0, 0, 1, 0], np.float32), trim=True, level=None)) == 1
    assert np.array_equal(settle(samples, trim=False, level=None), samples)


@pytest.mark.parametrize(("level", "peak"), [(0, 1), (-20, 0.1), (-40, 0.01)])
def test_the_level_is_that_of_the_peak(level, peak):
    for factor in (1, 0.001):
        settled = settle(tone(0.1).samples * factor, trim=False, level=level)
        assert np.abs(settled).max() == pytest.approx(peak, rel=1e-3)
        assert settled.dtype == np.float32


def test_settling_takes_loudness_and_silence_out(aisfx, monkeypatch):
    sound = tone(0.5)
    gap = np.zeros(30_000, np.float32)
    other = Sound(np.concatenate([gap, sound.samples * 0.01, gap]), 44_100)
    assert float(np.prod(aisfx.encode([sound, other]), axis=0).sum()) > 0.999
    monkeypatch.setattr(aisfx, "trim", False)
    monkeypatch.setattr(aisfx, "level", None)
    assert float(np.prod(aisfx.encode([sound, other]), axis=0).sum()) < 0.99


def test_a_vector_does_not_depend_on_its_batch(aisfx, some):
    together = aisfx.encode(some)
    alone = np.concatenate([aisfx.encode([path]) for path in some])
    assert (together * alone).sum(axis=1).min() > 0.99999


def test_a_path_its_name_its_bytes_and_its_samples_are_the_same(aisfx, some):
    path = some[0]
    vectors = aisfx.encode([path, str(path), path.read_bytes(), read_sound(path)])
    assert np.allclose(vectors, vectors[0], atol=1e-4)


@pytest.mark.parametrize(
    ("frames", "blocks"), [(1, 1), (99, 1), (100, 1), (101, 2), (150, 2), (151, 3), (1000, 19)]
)
def test_blocks_cover_every_frame(frames, blocks):
    cut = blocks_of(np.ones((frames, 96), np.float32))
    assert cut.shape == (blocks, 100, 96)
    assert cut[-1].any()
    first_halves = cut[:, :50].reshape(-1, 96)
    whole = np.concatenate([first_halves, cut[-1, 50:]])
    assert whole[:frames].all()
    assert not whole[frames:].any()


def test_a_spectrogram_shows_where_the_tone_is():
    picture = log_mel(tone(1).samples)
    assert picture.dtype == np.float32
    assert picture.shape == (45, 96)
    band = picture[20].argmax()
    mel = 2595 * np.log10(1 + np.array([440, 22_050]) / 700)
    assert band == pytest.approx(96 * mel[0] / mel[1], abs=1.5)


@pytest.mark.parametrize("seconds", [1 / 44_100, 0.01, 0.05, 5, 61])
def test_any_length_has_a_vector(aisfx, seconds):
    click = Sound(tone(seconds).samples + 0.1, 44_100)
    assert np.isfinite(aisfx.encode([click])).all()


def test_odd_files_do_not_stop_a_batch(aisfx, some, tmp_path):
    odd = odd_files(tmp_path)
    batches = encode_batches([*odd, *some], aisfx)
    kept = [path for _, paths, _ in batches for path in paths]
    assert [path.name for path in kept[:4]] == [
        "10 ms click.wav",
        "8 kHz mono.wav",
        "96 kHz stereo.flac",
        "an hour.wav",
    ]
    assert kept[4:] == some
    reasons = {path.name: reason for path, reason in batches.skipped}
    assert reasons.keys() == {"silence.wav", "zero bytes.wav", "text.wav"}
    assert "silence" in reasons["silence.wav"]


def test_of_a_large_file_only_the_beginning_counts(aisfx, tmp_path):
    minute, paths = tone(60, 192_000), []
    for name, end in (("a.wav", tone(30, 192_000).samples), ("b.wav", minute.samples[::-1] * 0.5)):
        paths.append(tmp_path / name)
        samples = np.concatenate([minute.samples, end])
        paths[-1].write_bytes(encoded(Sound(samples, 192_000), "WAV"))
        assert paths[-1].stat().st_size > 16_000_000
    first, second = (aisfx.content(path) for path in paths)
    assert first == second
    assert read_sound(first).seconds == 60


def test_content_is_what_the_file_holds(aisfx, some):
    assert aisfx.content(some[0]) == aisfx.content(str(some[0])) == some[0].read_bytes()
    again = read_sound(aisfx.content(tone(0.1)))
    assert np.array_equal(again.samples, tone(0.1).samples)


def test_content_does_not_depend_on_the_time_of_day(aisfx):
    first = aisfx.content(tone(0.1))
    time.sleep(1.1)  # libsndfile would write the second into the head of some kinds of file
    assert aisfx.content(tone(0.1)) == first


def test_what_is_no_sound_is_named(aisfx):
    with pytest.raises(BadItem, match="empty"):
        aisfx.encode([b""])
    with pytest.raises(BadItem, match="No such file"):
        aisfx.encode(["no such file.wav"])


def test_there_is_no_other_encoder():
    with pytest.raises(HelpfulError, match="aisfx or panns-cnn14"):
        load_encoder("vggish")


@pytest.fixture
def panns_file(monkeypatch, tmp_path):
    """A file of weights in the place of the one from Zenodo."""
    path = tmp_path / "Cnn14_mAP=0.431.pth"
    monkeypatch.setattr(audio, "fetch", lambda name: path)
    return path


def small_cnn14():
    """The network that panns-inference builds, with random weights."""
    return audio._panns_models().Cnn14(
        sample_rate=32_000, window_size=1024, hop_size=320, mel_bins=64, fmin=50, fmax=14_000,
        classes_num=527,
    )  # fmt: skip


def test_panns_from_a_checkpoint(panns_file):
    torch.manual_seed(0)
    network = small_cnn14()
    torch.save({"iteration": 1, "model": network.state_dict()}, panns_file)
    encoder = load_encoder("panns-cnn14")
    sound = tone(2)
    vectors = encoder.encode([sound, Sound(tone(0.01).samples, 44_100), tone(21)])
    assert vectors.shape == (3, encoder.dim) == (3, 2048)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    with torch.inference_mode():
        samples = torch.from_numpy(read_sound(sound, 32_000).samples)[None]
        expected = network.eval()(samples)["embedding"][0].numpy()
    assert float(vectors[0] @ expected) / np.linalg.norm(expected) > 0.9999


def test_panns_with_a_damaged_checkpoint(panns_file):
    panns_file.write_bytes(b"<html>Not found</html>")
    with pytest.raises(HelpfulError, match=r"zenodo\.org"):
        load_encoder("panns-cnn14")
    torch.save({"model": {"other.weight": torch.zeros(1)}}, panns_file)
    with pytest.raises(HelpfulError, match="does not hold the weights of CNN14"):
        load_encoder("panns-cnn14")


def test_panns_without_its_checkpoint(monkeypatch):
    def unreachable(name: str):
        raise AssetError(f"{name} could not be had from zenodo.org")

    monkeypatch.setattr(audio, "fetch", unreachable)
    with pytest.raises(AssetError, match=re.escape("zenodo.org")):
        load_encoder("panns-cnn14")


def test_neither_wget_nor_the_home_folder_is_touched(tmp_path):
    code = (
        "import os, sys\n"
        "os.system = lambda command: sys.exit(f'ran {command}')\n"
        "from helpers.scenarios.audio.encoder import _panns_models\n"
        "assert _panns_models().Cnn14 and _panns_models().Cnn14\n"
        "assert 'panns_inference' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={"HOME": str(tmp_path)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "panns_data").exists()
