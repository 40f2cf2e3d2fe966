"""Many molecules at once: what is kept, what is skipped and named, in one process or in two."""

import pytest
from rdkit import Chem

from helpers.errors import HelpfulError
from helpers.scenarios.molecules import describe as module
from helpers.scenarios.molecules.describe import Described, describe, join, process_pool

SMILES = [
    "c1ccccc1",
    "c1ccncc1",
    "Cc1ccccc1",
    "Cc1ccncc1",
    "CC(=O)Nc1ccc(O)cc1",
    "CC(=O)Oc1ccccc1C(=O)O",
    "COc1ccc2[nH]cc(CCNC(C)=O)c2c1",
    "O=C(NCCN1CCOCC1)c1ccc(Cl)cc1",
    "Cc1ccc(NC(=O)c2ccc(CN3CCN(C)CC3)cc2)cc1Nc1nccc(-c2cccnc2)n1",
    "CCO",
    "C1CCOCC1",
    "C",
]
MOLS = [Chem.MolFromSmiles(smiles) for smiles in SMILES]


def test_describe_names_what_it_skips_and_keeps_the_rest():
    found = describe(["CCO", "nonsense(", "OCC", "[Na+].CC(=O)[O-]", "C*"])
    assert [record["smiles"] for record in found.records] == ["CCO", "CC(=O)[O-]"]
    assert found.records[0]["weight"] == pytest.approx(46.07, abs=0.01)
    assert isinstance(found.records[0]["logp"], float)
    assert [Chem.MolToSmiles(mol) for mol in found.mols] == ["CCO", "CC(=O)[O-]"]
    skipped = dict(found.skipped)
    assert list(skipped) == ["nonsense(", "OCC", "C*"]
    assert skipped["OCC"] == "It is a copy of CCO."


def test_describe_calls_them_what_it_is_told_and_leaves_out_what_is_known():
    found = describe(["CCO", "CCC"], kind="block", known=["CCO"])
    assert [(record["kind"], record["smiles"]) for record in found.records] == [("block", "CCC")]
    assert found.skipped == [("CCO", "It is a copy of CCO.")]
    assert describe(["C"]).records[0]["kind"] == "molecule"


def test_a_report_names_the_first_of_what_was_skipped():
    assert describe(["CCO"]).report() == "1 molecules, 0 skipped"
    lines = describe(["CCO", *(f"C{n}(" for n in range(12))]).report().splitlines()
    assert lines[0] == "1 molecules, 12 skipped"
    assert "'C0(': " in lines[1] and "without its partner" in lines[1]
    assert lines[-1] == "  and 2 more" and len(lines) == 12


def test_a_report_of_nothing_but_mistakes_is_one():
    with pytest.raises(HelpfulError, match="None of 2 is a molecule; the first, 'SMILES': 'SMIL"):
        describe(["SMILES", "("]).report()


def test_join_keeps_the_order_of_both():
    one, other = describe(["CCO", "("]), describe(["C", "CC"])
    both = join(one, other)
    assert [record["smiles"] for record in both.records] == ["CCO", "C", "CC"]
    assert [mol.GetNumAtoms() for mol in both.mols] == [3, 1, 2]
    assert [given for given, _ in both.skipped] == ["("]


def test_describe_nothing():
    assert describe([]) == Described([], [], [])


def test_two_processes_give_the_same_as_one(monkeypatch):
    monkeypatch.setattr(module, "_CHUNK", 5)
    alone = describe([*SMILES, "nonsense("])
    with process_pool(2) as pool:
        shared = describe([*SMILES, "nonsense("], pool)
    assert shared.records == alone.records
    assert shared.skipped == alone.skipped
    assert [*map(Chem.MolToSmiles, shared.mols)] == [*map(Chem.MolToSmiles, alone.mols)]
    assert isinstance(shared, Described)
