"""What the audio notebook does with a reader's own sounds, and how it counts."""

from pathlib import Path

import numpy as np
import pytest

from helpers.errors import HelpfulError
from helpers.scenarios.audio.encoder import SoundEncoder
from helpers.scenarios.audio.sounds import Sound, encoded, read_sound
from tests.notebooks.notebook_checks import Notebook
from tests.notebooks.subject import subject

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "04_audio_search.ipynb"


class Peaks(SoundEncoder):
    """Three numbers of a sound in the place of a network's."""

    name, dim = "peaks", 3

    def prepare(self, sound):
        samples = read_sound(sound).samples
        return np.array([samples.max(), len(samples), 1])

    def embed(self, prepared):
        return np.stack(prepared)


class Calls:
    """A Milvus that only writes down what is asked of it."""

    def __init__(self):
        self.made = []

    def __getattr__(self, name):
        def call(*arguments, **options):
            self.made.append((name, *arguments))
            return self

        return call

    def names(self):
        return [name for name, *_ in self.made]


@pytest.fixture
def notebook():
    given = {"milvus": Calls(), "redis": None, "encoder": Peaks()}
    functions = subject("04_audio_search", COLLECTION="x", **given)
    functions["save_metadata"] = lambda *arguments: given["milvus"].save_metadata(*arguments)
    functions["delete_metadata"] = lambda *arguments: None
    return functions


def tone(path: Path, peak: float) -> Path:
    samples = peak * np.sin(np.arange(4_410) / 10).astype(np.float32)
    path.write_bytes(encoded(Sound(samples, 44_100), "WAV"))
    return path


def test_nothing_readable_leaves_what_was_stored(notebook, tmp_path):
    bad = tmp_path / "text.wav"
    bad.write_text("no sound")
    with pytest.raises(HelpfulError, match="None of these sounds"):
        notebook["store"]({bad: "odd", tone(tmp_path / "silent.wav", 0): "odd"}, "own")
    assert notebook["milvus"].made == []


def test_bad_sounds_first_cost_only_themselves(notebook, tmp_path, capsys):
    bad = tmp_path / "text.wav"
    bad.write_text("no sound")
    good = tone(tmp_path / "good.wav", 0.5)
    stored = notebook["store"]({bad: "odd", good: "tone"}, "own")
    assert [path for _, path, _ in stored] == [good]
    names = notebook["milvus"].names()
    assert names.index("create_collection") < names.index("save_metadata") < names.index("upsert")
    assert "text.wav: not a sound file" in capsys.readouterr().out


def test_no_cell_but_the_button_fills_the_own_collection():
    cells = [cell.source for cell in Notebook.read(NOTEBOOK).code]
    (odd,) = [source for source in cells if "odd_files(" in source]
    assert "OWN" not in odd
    (own,) = [source for source in cells if "OWN = " in source]
    assert own.count("store(") == 1
    assert "    store(load_sounds(source), OWN)" in own  # indented: in the button's function


def test_precision_leaves_the_sound_itself_out(notebook):
    precision = notebook["precision"]
    vectors = np.eye(4)[[0, 0, 1, 1]] * [1, 1, 1, 1]
    labels = np.array(["a", "a", "b", "c"])
    assert precision(vectors, labels).tolist() == [1, 1, 0, 0]
    assert precision(vectors[:1], labels[:1]).tolist() == [0]
