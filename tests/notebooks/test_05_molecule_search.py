"""What notebook 05 defines: fingerprints, the vectors that search them, and rates, as RDKit has."""

import numpy as np
import pytest
from pymilvus import DataType
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator

from helpers.connect import connect_milvus, remove_store
from helpers.scenarios.molecules.molecules import read_molecule
from tests.notebooks.subject import subject
from tests.scenarios.molecules.test_describe import MOLS

BITS = 512


@pytest.fixture(scope="module")
def notebook():
    return subject("05_molecule_search", COLLECTION="molecules", BITS=BITS, binary=False)


def rdkit_morgans(bits=BITS):
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=bits)
    return [generator.GetFingerprint(mol) for mol in MOLS]


@pytest.mark.parametrize("bits", [8, 200, 512, 2048])
def test_the_order_of_bits_is_that_of_rdkit(notebook, bits):
    structure = [Chem.PatternFingerprint(mol, fpSize=bits) for mol in MOLS]
    for kind, theirs in (("morgan", rdkit_morgans(bits)), ("pattern", structure)):
        rows = notebook[kind](MOLS, bits)
        assert rows.dtype == np.uint8 and rows.shape == (len(MOLS), bits)
        for row, other in zip(rows, theirs, strict=True):
            assert np.flatnonzero(row).tolist() == list(other.GetOnBits())
        assert notebook[kind]([], bits).shape == (0, bits)


def test_the_atoms_of_each_bit_set_it(notebook):
    row, found = notebook["morgan"]([MOLS[4]])[0], notebook["atoms_of_bits"](MOLS[4])
    assert sorted(found) == np.flatnonzero(row).tolist()
    lists = [atoms for places in found.values() for atoms in places]
    assert [0] in lists  # a methyl group's carbon, radius 0
    assert [0, 1] in lists and [0, 1, 2, 3] in lists
    wide = notebook["atoms_of_bits"](MOLS[4], at_least=1)
    assert wide.keys() < found.keys() and all(len(a) > 1 for p in wide.values() for a in p)
    assert notebook["atoms_of_bits"](Chem.MolFromSmiles("C"), at_least=1) == {}


def test_a_matrix_of_coefficients_is_rdkits(notebook):
    rows, theirs = notebook["morgan"](MOLS), rdkit_morgans()
    truth = [DataStructs.BulkTanimotoSimilarity(one, theirs) for one in theirs]
    assert np.allclose(notebook["tanimoto_matrix"](rows, rows), truth, atol=1e-6)


def test_scores_of_structure_queries_say_which_bits_lie_in_which(notebook):
    rows = notebook["pattern"](MOLS)
    stored = notebook["stored_vectors"](rows)
    assert stored.dtype == np.float32 and stored.shape == (len(MOLS), BITS + 1)
    assert (stored[:, -1] == rows.sum(axis=1)).all()
    for asked in rows:
        vector, radius = notebook["structure_query"]("contains", asked)
        assert ((stored @ vector > radius) == ((rows & asked) == asked).all(axis=1)).all()
        vector, radius = notebook["structure_query"]("contained", asked)
        assert ((stored @ vector > radius) == ((rows & asked) == rows).all(axis=1)).all()


def test_no_molecule_that_contains_another_or_a_pattern_lacks_a_bit_of_it(notebook):
    wildcards = read_molecule("c1ccc(*)c*1", wildcards=True).mol
    stored = notebook["stored_vectors"](notebook["pattern"](MOLS))
    for small in [*MOLS, wildcards]:
        vector, radius = notebook["structure_query"]("contains", notebook["pattern"]([small])[0])
        within = np.array([mol.HasSubstructMatch(small) for mol in MOLS])
        assert (stored[within] @ vector > radius).all()
        assert within.any()


@pytest.mark.parametrize("t", [0.0, 0.1, 1 / 3, 0.5, 0.8, 1.0])
def test_the_score_to_reach_is_reached_exactly_from_that_coefficient_on(notebook, t):
    rows, theirs = notebook["morgan"](MOLS), rdkit_morgans()
    stored = notebook["stored_vectors"](rows)
    for row, asked in zip(rows, theirs, strict=True):
        vector, reach = notebook["similar_query"](row, t)
        similarities = np.array(DataStructs.BulkTanimotoSimilarity(asked, theirs))
        assert ((stored @ vector > reach - 1e-3) == (similarities >= t)).all()
        hits = [
            {"id": n, "distance": float(score), "ones": int(ones)}
            for n, (score, ones) in enumerate(zip(stored @ vector, stored[:, -1], strict=True))
        ]
        rated = notebook["rate"](hits, t, row.sum())
        assert [each for each, _ in rated] == sorted(similarities, reverse=True)
        assert {n: each for each, n in rated} == dict(enumerate(similarities))
    assert notebook["rate"]([], t, 3) == []


@pytest.fixture(scope="module")
def store(notebook, tmp_path_factory):
    """The notebook with a Milvus Lite that holds the molecules, each under its place."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MILVUS_URI", raising=False)
        patch.setenv("BOOTCAMP_STORES", str(tmp_path_factory.mktemp("stores")))
        notebook["milvus"] = client = connect_milvus("test")
        for name, kind in (("molecules", "morgan"), ("molecules_structure", "pattern")):
            bits = notebook[kind](MOLS)
            schema = client.create_schema()
            schema.add_field("id", DataType.INT64, is_primary=True)
            schema.add_field("ones", DataType.INT64)
            schema.add_field("vector", DataType.FLOAT_VECTOR, dim=BITS + 1)
            client.create_collection(name, schema=schema)
            vectors = notebook["stored_vectors"](bits)
            rows = [{"id": n, "ones": int(v[-1]), "vector": v} for n, v in enumerate(vectors)]
            client.upsert(name, rows)
            notebook["build_index"](name, packed=False)
        yield notebook
        remove_store("test")


def test_the_ten_nearest_are_those_of_rdkit(store):
    theirs = rdkit_morgans()
    found = store["nearest"](store["morgan"](MOLS))
    for asked, hits in zip(theirs, found, strict=True):
        truth = DataStructs.BulkTanimotoSimilarity(asked, theirs)
        assert [each for each, _ in hits] == sorted(truth, reverse=True)[:10]
        assert all(truth[n] == each for each, n in hits)
    few = store["nearest"](store["morgan"](MOLS[:1]), "id < 3")[0]
    assert {n for _, n in few} == {0, 1, 2}
    assert store["nearest"](store["morgan"](MOLS[:1]), "id > 99") == [[]]


@pytest.mark.parametrize("limits", [(2,), (2, 3), (100,)])
def test_a_screen_is_whole_however_small_the_limit_and_leaves_out_the_radius_itself(store, limits):
    for kind in ("contains", "contained"):
        vector, radius = store["structure_query"](kind, store["pattern"]([MOLS[2]])[0])
        scores = store["stored_vectors"](store["pattern"](MOLS)) @ vector
        found = store["screen"](vector, radius, high=255, limits=limits)
        assert sorted(found) == np.flatnonzero(scores > radius).tolist()
        assert store["screen"](vector, radius + 0.5, high=255, limits=limits) == []
    assert store["screen"](vector, radius, "id == 2", high=255, limits=limits) == [2]


def test_a_scaffold_is_a_molecule_without_side_chains(notebook):
    assert notebook["scaffold"](MOLS[4]) == "c1ccccc1"
    assert notebook["scaffold"](Chem.MolFromSmiles("CCO")) == ""
