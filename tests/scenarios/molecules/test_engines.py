"""RDKit and FPSim2 as engines to compare with: they answer the questions that Milvus is asked."""

import numpy as np
import pytest
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator

from helpers.scenarios.molecules.engines import fpsim2_engine, rdkit_library, searches
from tests.notebooks.subject import subject
from tests.scenarios.molecules.test_describe import MOLS

BITS = 512
_NOTEBOOK = subject("05_molecule_search", COLLECTION="x")
morgan, pattern = _NOTEBOOK["morgan"], _NOTEBOOK["pattern"]


def rdkit_morgans(mols, bits=BITS):
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=bits)
    return [generator.GetFingerprint(mol) for mol in mols]


def test_rdkits_library_finds_the_same_with_and_without_a_screen():
    patterns = pattern(MOLS, BITS)
    for library in (rdkit_library(MOLS), rdkit_library(MOLS, patterns)):
        for query in MOLS:
            truth = [n for n, mol in enumerate(MOLS) if mol.HasSubstructMatch(query)]
            assert sorted(library.GetMatches(query, numThreads=1, maxResults=-1)) == truth


@pytest.mark.parametrize("bits", [512, 1000])  # 1000 leaves 40 of the last 64
def test_fpsim2_agrees_with_rdkit(bits):
    theirs = rdkit_morgans(MOLS, bits)
    engine = fpsim2_engine(morgan(MOLS, bits))
    found = dict(engine.top_k(theirs[4], len(MOLS), 0.0).tolist())
    truth = DataStructs.BulkTanimotoSimilarity(theirs[4], theirs)
    assert found == pytest.approx({n: t for n, t in enumerate(truth) if n in found}, abs=1e-6)
    assert len(found) >= sum(t > 0 for t in truth)
    rows = pattern(MOLS, bits)
    screen = fpsim2_engine(rows)
    for mol, asked in zip(MOLS, rows, strict=True):
        candidates = np.flatnonzero(((rows & asked) == asked).all(axis=1)).tolist()
        assert sorted(screen.substructure(Chem.PatternFingerprint(mol, fpSize=bits))) == candidates


def test_all_searches_agree():
    morgans, patterns = morgan(MOLS, BITS), pattern(MOLS, BITS)
    calls = searches(MOLS, morgans, patterns)
    assert set(calls) == {(q, way) for q in ("similar", "contains") for way in ("RDKit", "FPSim2")}
    for mol, asked in zip(MOLS, rdkit_morgans(MOLS), strict=True):
        truth = np.array(DataStructs.BulkTanimotoSimilarity(asked, rdkit_morgans(MOLS)))
        best = np.sort(truth)[::-1]
        for way in ("RDKit", "FPSim2"):
            found = truth[calls["similar", way](mol)]
            assert found.tolist() == best[: len(found)].tolist()
            assert len(found) >= min(10, (truth > 0).sum())
            within = [n for n, other in enumerate(MOLS) if other.HasSubstructMatch(mol)]
            assert sorted(calls["contains", way](mol)) == within
