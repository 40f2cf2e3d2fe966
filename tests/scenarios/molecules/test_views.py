"""Drawings of molecules: what is marked, what a grid holds, and what shows while typing."""

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem
from rdkit.Chem import rdDepictor

from helpers.errors import BadItem
from helpers.scenarios.molecules.molecules import read_molecule
from helpers.scenarios.molecules.views import (
    QUESTIONS,
    Hits,
    found_in_words,
    shared_part,
    show_growth,
    show_hits,
    show_molecules,
    show_similarities,
    show_typed,
    turned_like,
)
from helpers.show import NEUTRAL
from helpers.widgets import form

PHENOL, ASPIRIN = "Oc1ccccc1", "CC(=O)Oc1ccccc1C(=O)O"
MARK = np.array([255, 199, 89])


def mol(smiles: str) -> Chem.Mol:
    return Chem.MolFromSmiles(smiles)


def pixels(picture) -> np.ndarray:
    return np.asarray(picture.convert("RGB")).astype(int)


def marked(picture: np.ndarray) -> int:
    """How many pixels have about the colour of a mark."""
    return int((abs(picture - MARK).max(axis=-1) < 30).sum())


def ink(picture: np.ndarray) -> int:
    return int((picture < 70).all(axis=-1).sum())


def framed(picture: np.ndarray) -> list[bool]:
    """Whether each tile of the top row has the dark frame of a query."""
    dark = [int(NEUTRAL[i : i + 2], 16) for i in (1, 3, 5)]
    return [bool((tile == dark).all(axis=-1).any()) for tile in np.split(picture[:10], 2, axis=1)]


def test_a_molecule_is_drawn_with_its_words_and_without_marks(shown):
    show_molecules([[(ASPIRIN, "")]])
    show_molecules([[(ASPIRIN, "180 Da, logP 1.3")]])
    bare, worded = map(pixels, shown)
    below = slice(160, 185)  # within the frame
    assert ink(bare) > 200 and ink(bare[below]) == 0 < ink(worded[below])
    assert marked(bare) == marked(worded) == 0


def test_more_marked_atoms_have_more_marks(shown):
    for atoms in ([0], [0, 1, 2, 3]):
        show_hits([Hits(mol(ASPIRIN), "query", [(mol(ASPIRIN), "hit", atoms)])])
    some, more = (marked(pixels(picture)) for picture in shown)
    assert 0 < some < more


def test_only_the_query_has_a_dark_frame(shown):
    show_hits([Hits(mol(PHENOL), "query", [(mol(ASPIRIN), "hit", [])])])
    show_molecules([[(PHENOL, "one"), (ASPIRIN, "two")]])
    assert [framed(pixels(picture)) for picture in shown] == [[True, False], [False, False]]


def places(mol: Chem.Mol, part: Chem.Mol) -> np.ndarray:
    """Where the atoms of a part lie on paper, from their middle."""
    points = mol.GetConformer().GetPositions()[list(mol.GetSubstructMatch(part))]
    return points - points.mean(axis=0)


def test_a_molecule_is_turned_like_another():
    large, indole = mol("CC(C)C(=O)Nc1ccc2cc(C(=O)O)[nH]c2c1"), mol("c1ccc2[nH]ccc2c1")
    turned = turned_like(indole, large, indole)
    assert large.GetNumConformers() == indole.GetNumConformers() == 0, "they stay as they were"
    for alone in (large, indole):
        rdDepictor.Compute2DCoords(alone)
    model = places(indole, indole)
    assert np.allclose(places(turned, indole), model, atol=0.1)
    assert not np.allclose(places(large, indole), model, atol=0.1)
    assert turned_like(mol("FF"), mol(ASPIRIN), mol("FF")).GetNumConformers() == 0, "no such part"


def test_the_shared_part_of_two_molecules():
    part = shared_part(mol("CCOc1ccccc1"), mol("Nc1ccccc1OCC"))
    assert part.GetNumAtoms() == 9
    assert shared_part(mol("CCO"), mol("FF")).GetNumAtoms() == 0


def test_the_shared_part_of_large_molecules_takes_no_very_long_time():
    cage = mol("C1" + "C(C)(N)" * 30 + "C1")
    assert shared_part(cage, mol("C1" + "C(N)(C)" * 29 + "C(C)(C)C1")) is not None


def test_only_the_hit_is_marked(shown):
    show_hits([Hits(mol(PHENOL), "query", [(mol(ASPIRIN), "hit", range(4))])])
    query, hit = np.split(pixels(shown[0]), 2, axis=1)
    assert marked(hit) > 100 and marked(query) == 0


def test_a_grid_of_rows_of_any_length_is_small_enough_to_commit(shown):
    hits = [(mol(ASPIRIN), "Tanimoto 0.50", [1])] * 5
    rows = [Hits(mol(PHENOL), "query", hits), Hits(mol(PHENOL), "none", [])]
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


def test_a_pattern_with_wildcards_is_drawn_beside_its_hits(shown):
    query = read_molecule("c1ccccc1*", wildcards=True).mol
    show_hits([Hits(query, "pattern", [(mol(ASPIRIN), "hit", [4, 5])])])
    assert marked(pixels(shown[0])) > 50


def test_similarities_of_many_kinds_and_of_none(shown):
    show_similarities({"by chance": np.array([0.1, 0.2]), "none": np.array([])})
    assert 200 < shown[0].height < shown[0].width <= 1600


def test_a_smiles_is_drawn_as_far_as_it_is_typed(shown, capsys):
    show_typed("  ", "similar")
    assert shown == []
    for typed in ("C", "CC", "CCO"):
        show_typed(typed, "similar")
    assert len(shown) == 3 and all(ink(pixels(picture)) > 0 for picture in shown)
    assert capsys.readouterr().out.strip() == ""


def test_what_is_left_out_of_a_salt_is_said(shown, capsys):
    show_typed("CC(=O)[O-].[Na+]", "similar")
    assert "only the largest" in capsys.readouterr().out
    assert ink(pixels(shown[0])) > 0


def test_a_wildcard_is_fine_only_where_it_has_a_meaning(shown):
    with pytest.raises(BadItem, match="leave it out"):
        show_typed("c1ccccc1*", "similar")
    show_typed("c1ccccc1*", "contains")
    assert ink(pixels(shown[0])) > 0


def test_the_form_draws_while_typing_explains_mistakes_and_asks(shown, capsys):
    asked = []
    box = form(
        lambda **values: asked.append(values),
        "Search",
        show_typed,
        smiles="a SMILES: CCO",
        question=QUESTIONS,
        weights=(100, 400),
    )
    smiles, question, weights, button = box.children[0].children
    assert smiles.continuous_update, "each letter counts"
    smiles.value = "C(C"
    assert "without its partner" in capsys.readouterr().out and shown == []
    smiles.value = "c1ccccc1*"
    assert "leave it out" in capsys.readouterr().out
    question.value = "contains"
    assert len(shown) == 1
    weights.value = (200, 300)
    button.click()
    assert asked == [{"smiles": "c1ccccc1*", "question": "contains", "weights": (200, 300)}]


@pytest.mark.parametrize(
    ("question", "found", "said"),
    [
        ("similar", [{"tanimoto": 0.684}, {"tanimoto": 0.2}], "0.68; two by chance rarely"),
        ("similar", [{"tanimoto": 0.29}], "nothing here is much like it"),
        ("contains", [{}] * 1_234, "1,234 of the stored molecules and blocks contain it"),
        ("contained", [{}], "lie in it, the heaviest first"),
        ("contained", [], "Nothing that is stored"),
    ],
)
def test_an_answer_in_words_says_how_good_or_how_many(question, found, said):
    assert said in found_in_words(question, found)
