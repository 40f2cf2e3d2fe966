"""Fingerprints: bits as RDKit has them, and queries whose scores say exactly what they promise."""

import numpy as np
import pytest
from pymilvus import DataType
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator

from helpers.connect import connect_milvus, remove_store
from helpers.errors import HelpfulError
from helpers.scenarios.molecules import fingerprints
from helpers.scenarios.molecules.fingerprints import (
    Described,
    contained_query,
    contains_query,
    count_ones,
    describe,
    join,
    morgan,
    pattern,
    process_pool,
    rate,
    similar_query,
    stored_vectors,
    unpack_bits,
)
from helpers.scenarios.molecules.molecules import read_molecule

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
BITS = 512


def rdkit_morgans(mols, bits=BITS):
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=bits)
    return [generator.GetFingerprint(mol) for mol in mols]


@pytest.mark.parametrize("bits", [8, 200, 512, 2048])
def test_the_order_of_bits_is_that_of_rdkit(bits):
    for mol, theirs in zip(MOLS, rdkit_morgans(MOLS, bits), strict=True):
        packed = morgan(mol, bits)
        assert packed.dtype == np.uint8 and packed.shape == (bits // 8,)
        assert np.flatnonzero(unpack_bits(packed)).tolist() == list(theirs.GetOnBits())
        assert count_ones(packed) == theirs.GetNumOnBits()
        structure = Chem.PatternFingerprint(mol, fpSize=bits)
        assert np.flatnonzero(unpack_bits(pattern(mol, bits))).tolist() == list(
            structure.GetOnBits()
        )


def test_stored_vectors_end_with_the_number_of_ones():
    packed = np.array([morgan(mol, BITS) for mol in MOLS])
    vectors = stored_vectors(packed)
    assert vectors.shape == (len(MOLS), BITS + 1) and vectors.dtype == np.float32
    assert (vectors[:, :-1].sum(axis=1) == vectors[:, -1]).all()
    assert vectors[:, -1].tolist() == count_ones(packed).tolist()
    assert stored_vectors(packed[:0]).shape == (0, BITS + 1)


def test_scores_of_structure_queries_say_which_bits_lie_in_which():
    packed = np.array([pattern(mol, BITS) for mol in MOLS])
    stored = stored_vectors(packed)
    for asked in packed:
        vector, radius = contains_query(asked)
        found = stored @ vector > radius
        assert found.tolist() == [bool(((row & asked) == asked).all()) for row in packed]
        vector, radius = contained_query(asked)
        found = stored @ vector > radius
        assert found.tolist() == [bool(((row & asked) == row).all()) for row in packed]


def test_no_molecule_that_contains_another_lacks_a_bit_of_it():
    for small in MOLS:
        vector, radius = contains_query(pattern(small, BITS))
        for large in MOLS:
            if large.HasSubstructMatch(small):
                assert (stored_vectors(pattern(large, BITS)[None]) @ vector)[0] > radius


def test_wildcards_set_no_bit_that_a_match_lacks():
    query = read_molecule("c1ccc(*)c*1", wildcards=True).mol
    asked = pattern(query, BITS)
    matches = [mol for mol in MOLS if mol.HasSubstructMatch(query)]
    assert len(matches) > 3
    assert all(((pattern(mol, BITS) & asked) == asked).all() for mol in matches)


@pytest.mark.parametrize("at_least", [0.0, 0.1, 1 / 3, 0.5, 0.8, 1.0])
def test_the_score_to_reach_is_reached_exactly_from_that_similarity_on(at_least):
    theirs = rdkit_morgans(MOLS)
    stored = stored_vectors(np.array([morgan(mol, BITS) for mol in MOLS]))
    for mol, asked in zip(MOLS, theirs, strict=True):
        vector, reach = similar_query(morgan(mol, BITS), at_least)
        similarities = np.array(DataStructs.BulkTanimotoSimilarity(asked, theirs))
        assert ((stored @ vector > reach - 1e-3) == (similarities >= at_least)).all()


def test_rate_gives_rdkits_similarities_best_first():
    theirs = rdkit_morgans(MOLS)
    stored = stored_vectors(np.array([morgan(mol, BITS) for mol in MOLS]))
    for at_least in (0.0, 0.37, 1.0):
        packed = morgan(MOLS[4], BITS)
        scores = stored @ similar_query(packed, at_least)[0]
        hits = [
            {"id": n, "distance": float(score), "ones": int(row[-1])}
            for n, (score, row) in enumerate(zip(scores, stored, strict=True))
        ]
        rated = rate(hits, at_least, packed)
        truth = DataStructs.BulkTanimotoSimilarity(theirs[4], theirs)
        assert [similarity for similarity, _ in rated] == sorted(truth, reverse=True)
        assert {n: similarity for similarity, n in rated} == dict(enumerate(truth))


def test_rate_of_nothing_and_of_two_empty_fingerprints():
    empty = np.zeros(BITS // 8, np.uint8)
    assert rate([], 0.5, empty) == []
    assert rate([{"id": 7, "distance": 0.0, "ones": 0}], 0.5, empty) == [(1.0, 7)]


@pytest.fixture
def store(monkeypatch, tmp_path):
    """A Milvus Lite collection of the pattern fingerprints above."""
    monkeypatch.delenv("MILVUS_URI", raising=False)
    monkeypatch.setenv("BOOTCAMP_STORES", str(tmp_path))
    client = connect_milvus("test")
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=BITS + 1)
    client.create_collection("molecules", schema=schema)
    vectors = stored_vectors(np.array([pattern(mol, BITS) for mol in MOLS]))
    client.upsert("molecules", [{"id": n, "vector": v} for n, v in enumerate(vectors)])
    client.flush("molecules")
    index = client.prepare_index_params()
    index.add_index("vector", index_type="FLAT", metric_type="IP")
    client.create_index("molecules", index)
    client.load_collection("molecules")
    yield client
    remove_store("test")


def test_a_range_search_leaves_out_the_radius_itself(store):
    def found(vector, radius):
        params = {"radius": radius}
        hits = store.search("molecules", [vector], limit=100, search_params=params)[0]
        return sorted(hit["id"] for hit in hits)

    toluene = MOLS[2]
    vector, radius = contains_query(pattern(toluene, BITS))
    truth = [n for n, mol in enumerate(MOLS) if mol.HasSubstructMatch(toluene)]
    assert set(truth) <= set(found(vector, radius)) and len(truth) > 1
    assert found(vector, radius + 0.5) == []  # the score itself: nothing is above it
    vector, radius = contained_query(pattern(toluene, BITS))
    assert {0, 2, 11} <= set(found(vector, radius))
    assert found(vector, radius + 0.5) == []


def test_describe_names_what_it_skips_and_keeps_the_rest():
    found = describe(["CCO", "nonsense(", "OCC", "[Na+].CC(=O)[O-]", "C*"], BITS)
    assert [record["smiles"] for record in found.records] == ["CCO", "CC(=O)[O-]"]
    assert found.records[0]["weight"] == pytest.approx(46.07, abs=0.01)
    assert isinstance(found.records[0]["logp"], float)
    assert (found.morgan[0] == morgan(Chem.MolFromSmiles("CCO"), BITS)).all()
    assert (found.pattern[1] == pattern(Chem.MolFromSmiles("CC(=O)[O-]"), BITS)).all()
    skipped = dict(found.skipped)
    assert list(skipped) == ["nonsense(", "OCC", "C*"]
    assert skipped["OCC"] == "It is a copy of CCO."


def test_describe_calls_them_what_it_is_told_and_leaves_out_what_is_known():
    found = describe(["CCO", "CCC"], BITS, kind="block", known=["CCO"])
    assert [(record["kind"], record["smiles"]) for record in found.records] == [("block", "CCC")]
    assert found.skipped == [("CCO", "It is a copy of CCO.")]
    assert describe(["C"], BITS).records[0]["kind"] == "molecule"


def test_a_report_names_the_first_of_what_was_skipped():
    assert describe(["CCO"], BITS).report() == "1 molecules, 0 skipped"
    lines = describe(["CCO", *(f"C{n}(" for n in range(12))], BITS).report().splitlines()
    assert lines[0] == "1 molecules, 12 skipped"
    assert "'C0(': " in lines[1] and "without its partner" in lines[1]
    assert lines[-1] == "  and 2 more" and len(lines) == 12


def test_a_report_of_nothing_but_mistakes_is_one():
    with pytest.raises(HelpfulError, match="None of 2 is a molecule; the first, 'SMILES': 'SMIL"):
        describe(["SMILES", "("], BITS).report()


def test_join_keeps_the_order_of_both():
    one, other = describe(["CCO", "("], BITS), describe(["C", "CC"], BITS)
    both = join(one, other)
    assert [record["smiles"] for record in both.records] == ["CCO", "C", "CC"]
    assert (both.morgan == np.vstack([one.morgan, other.morgan])).all()
    assert (both.pattern[1:] == other.pattern).all()
    assert [given for given, _ in both.skipped] == ["("]


def test_describe_nothing():
    found = describe([], BITS)
    assert found.records == [] and found.skipped == []
    assert found.morgan.shape == found.pattern.shape == (0, BITS // 8)


@pytest.mark.parametrize("bits", [0, -8, 100])
def test_odd_lengths_are_refused(bits):
    with pytest.raises(ValueError, match=f"multiple of 8 bits, not {bits}"):
        describe(SMILES, bits)


def test_two_processes_give_the_same_as_one(monkeypatch):
    monkeypatch.setattr(fingerprints, "_CHUNK", 5)
    alone = describe([*SMILES, "nonsense("], BITS)
    with process_pool(2) as pool:
        shared = describe([*SMILES, "nonsense("], BITS, pool)
    assert shared.records == alone.records
    assert shared.skipped == alone.skipped
    assert (shared.morgan == alone.morgan).all() and (shared.pattern == alone.pattern).all()
    assert isinstance(shared, Described)
