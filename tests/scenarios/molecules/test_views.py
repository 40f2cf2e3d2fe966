"""Drawings of molecules: what is marked, what a grid holds, and what the box says while typing."""

import io

import ipywidgets
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from rdkit import Chem

from helpers.errors import BadItem
from helpers.scenarios.molecules.molecules import read_molecule
from helpers.scenarios.molecules.views import (
    KINDS,
    Hits,
    draw,
    molecule_box,
    shared_part,
    show_growth,
    show_hits,
    show_molecules,
)

PHENOL, ASPIRIN = "Oc1ccccc1", "CC(=O)Oc1ccccc1C(=O)O"
MARK = np.array([255, 199, 89])


def mol(smiles: str) -> Chem.Mol:
    return Chem.MolFromSmiles(smiles)


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def marked(picture: np.ndarray) -> int:
    """How many pixels have about the colour of a mark."""
    return int((abs(picture - MARK).max(axis=-1) < 30).sum())


def test_a_drawing_has_the_size_asked_for_and_ink():
    picture = pixels(draw(mol(ASPIRIN), size=(200, 120)))
    assert picture.shape == (120, 200, 3)
    assert (picture < 100).all(axis=-1).sum() > 200
    assert marked(picture) == 0


def test_more_marked_atoms_make_more_marks():
    some, more = (pixels(draw(mol(ASPIRIN), atoms)) for atoms in ((0, 1), range(6)))
    assert 0 < marked(some) < marked(more)


def test_drawing_leaves_the_molecule_as_it_was():
    aspirin = mol(ASPIRIN)
    draw(aspirin, [0], mol(PHENOL), mol("c1ccccc1"))
    assert aspirin.GetNumConformers() == 0


def test_a_molecule_is_turned_like_another():
    large, indole = mol("CC(C)C(=O)Nc1ccc2cc(C(=O)O)[nH]c2c1"), mol("c1ccc2[nH]ccc2c1")
    alone, turned = pixels(draw(large)), pixels(draw(large, (), indole, indole))
    assert (alone != turned).any()
    assert (alone == pixels(draw(large, (), large, large))).all()
    assert (alone == pixels(draw(large, (), mol("FF"), mol("FF")))).all()  # it lacks the part


def test_the_shared_part_of_two_molecules():
    part = shared_part(mol("CCOc1ccccc1"), mol("Nc1ccccc1OCC"))
    assert part.GetNumAtoms() == 9
    assert shared_part(mol("CCO"), mol("FF")).GetNumAtoms() == 0


def test_the_shared_part_of_large_molecules_takes_no_very_long_time():
    cage = mol("C1" + "C(C)(N)" * 30 + "C1")
    assert shared_part(cage, mol("C1" + "C(N)(C)" * 29 + "C(C)(C)C1")) is not None


def test_each_kind_of_hit_is_marked(shown):
    queries = {"similar": PHENOL, "contains": "c1ccccc1", "contained": ASPIRIN}
    found = {"similar": ASPIRIN, "contains": ASPIRIN, "contained": "CC(=O)O"}
    assert set(queries) == set(KINDS)
    for kind, smiles in queries.items():
        show_hits([Hits(kind, mol(smiles), "query", [(found[kind], "found")])])
        picture = np.asarray(shown[-1].convert("RGB")).astype(int)
        half = picture.shape[1] // 2
        assert marked(picture[:, half:]) > 100  # the hit
        assert marked(picture[:, :half]) == 0  # the query


def test_a_grid_of_rows_of_any_length_is_small_enough_to_commit(shown):
    hits = [(ASPIRIN, "Tanimoto 0.50")] * 5
    rows = [Hits("similar", mol(PHENOL), "query", hits), Hits("contains", mol(PHENOL), "none", [])]
    show_hits(rows)
    assert shown[0].width <= 1600
    show_molecules([[(ASPIRIN, "one")], [(PHENOL, "two"), ("C", "three")]])
    assert shown[1].width < shown[0].width


def growth(molecules, **ms):
    return pd.DataFrame(
        [
            {"question": question, "way": way, "molecules": n, "ms": ms[way] * n}
            for question in ("similar", "contains")
            for way in ms
            for n in molecules
        ]
    )


def test_growth_draws_the_longer_run_only_where_it_goes_on(shown, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        "matplotlib.axes.Axes.plot", lambda axes, x, y, *_, **__: drawn.append((list(x), list(y)))
    )
    longer = growth([20, 2_000], quick=1, unknown=5)
    monkeypatch.setattr("matplotlib.axes.Axes.legend", lambda *_, **__: None)
    show_growth(growth([20, 200], quick=1, slow=3), longer)
    assert ([20, 200, 2_000], [20, 200, 2_000]) in drawn
    assert ([20, 200], [60, 600]) in drawn
    assert len(drawn) == 8  # two ways, two questions, each as it was measured and with the rest
    assert shown[0].width <= 1600


def test_growth_without_a_longer_run(shown):
    show_growth(growth([20, 200], quick=1), growth([200], quick=1))
    assert shown[0].height > 200


def test_a_hit_for_a_pattern_with_wildcards_is_marked(shown):
    query = read_molecule("c1ccccc1*", wildcards=True).mol
    show_hits([Hits("contains", query, "pattern", [(ASPIRIN, "hit")])])
    assert marked(np.asarray(shown[0].convert("RGB")).astype(int)) > 100


class Box:
    """The controls of a molecule box by what they are."""

    def __init__(self, handle):
        self.widget = molecule_box(handle, (100, 400))
        found = list(self._all(self.widget))
        self.text, self.kind, self.weight, self.button, self.note, self.picture, self.result = (
            next(child for child in found if isinstance(child, kind))
            for kind in (
                ipywidgets.Text,
                ipywidgets.Dropdown,
                ipywidgets.IntRangeSlider,
                ipywidgets.Button,
                ipywidgets.HTML,
                ipywidgets.Image,
                ipywidgets.Output,
            )
        )

    def _all(self, widget):
        for child in getattr(widget, "children", ()):
            yield child
            yield from self._all(child)


@pytest.fixture
def asked():
    return []


@pytest.fixture
def box(asked):
    return Box(lambda *arguments: asked.append(arguments))


def ink(png):
    return int((pixels(png) < 100).all(axis=-1).sum())


def test_a_smiles_is_drawn_while_it_is_typed(box):
    assert ink(box.picture.value) == 0
    for typed in ("C", "CC", "CCO"):
        box.text.value = typed
        assert ink(box.picture.value) > 0 and box.note.value == ""
    box.text.value = ""
    assert ink(box.picture.value) == 0 and box.note.value == ""


def test_mistakes_are_explained_while_typing_and_cannot_become_html(box):
    box.text.value = "C(C"
    assert "without its partner" in box.note.value
    box.text.value = "<b>x</b>"
    assert "<b>" not in box.note.value and "&lt;b>" in box.note.value
    assert ink(box.picture.value) == 0


def test_what_is_left_out_of_a_salt_is_said(box):
    box.text.value = "CC(=O)[O-].[Na+]"
    assert "only the largest" in box.note.value
    assert ink(box.picture.value) > 0


def test_a_wildcard_is_fine_only_where_it_has_a_meaning(box):
    box.text.value = "c1ccccc1*"
    assert "leave it out" in box.note.value  # similar is chosen first
    box.kind.value = "contains"
    assert box.note.value == "" and ink(box.picture.value) > 0


def test_the_button_asks_with_all_that_was_chosen(box, asked):
    box.text.value, box.kind.value, box.weight.value = "CCO", "contained", (200, 300)
    box.button.click()
    assert asked == [("CCO", "contained", (200, 300))]


def test_a_mistake_of_the_search_shows_as_one_sentence(capsys):
    def refuse(*arguments):
        raise BadItem("There is no SMILES.")

    Box(refuse).button.click()
    assert capsys.readouterr().out.endswith("There is no SMILES.\n")
