"""Other ways to search molecules, to compare with: RDKit's own, and FPSim2."""

from collections.abc import Callable, Sequence
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator, rdSubstructLibrary

if TYPE_CHECKING:
    from FPSim2 import FPSim2Engine


def searches(
    mols: Sequence[Chem.Mol], morgans: np.ndarray, patterns: np.ndarray
) -> dict[tuple[str, str], Callable[[Chem.Mol], Any]]:
    """The searches for similarity and structure of RDKit and FPSim2.

    RDKit compares with every Morgan fingerprint; for structure it screens and confirms in C++.
    FPSim2 screens only, and RDKit confirms.

    Args:
        mols: n molecules.
        morgans: uint8, (n, bits), their Morgan fingerprints as rows of 0 and 1.
        patterns: likewise their pattern fingerprints.

    Returns:
        (question, library) -> a function of a molecule. For ``"similar"`` it gives the places of
        the ten most similar, best first; for ``"contains"`` the places of all that contain it.
    """
    bits = morgans.shape[1]
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=bits)
    stored = _bit_vectors(morgans)
    library = rdkit_library(mols, patterns)
    ranker, screener = fpsim2_engine(morgans), fpsim2_engine(patterns)

    def by_rdkit(mol: Chem.Mol) -> list[int]:
        similar = DataStructs.BulkTanimotoSimilarity(generator.GetFingerprint(mol), stored)
        return np.argsort(similar, stable=True)[-10:][::-1].tolist()

    def by_fpsim2(mol: Chem.Mol) -> list[int]:
        return ranker.top_k(generator.GetFingerprint(mol), 10, 0.0)["mol_id"].tolist()

    def containing_by_rdkit(mol: Chem.Mol) -> list[int]:
        return list(library.GetMatches(mol, numThreads=1, maxResults=-1))

    def containing_by_fpsim2(mol: Chem.Mol) -> list[int]:
        found = screener.substructure(Chem.PatternFingerprint(mol, fpSize=bits)).tolist()
        return [row for row in found if mols[row].HasSubstructMatch(mol)]

    return {
        ("similar", "RDKit"): by_rdkit,
        ("similar", "FPSim2"): by_fpsim2,
        ("contains", "RDKit"): containing_by_rdkit,
        ("contains", "FPSim2"): containing_by_fpsim2,
    }


def rdkit_library(
    mols: Sequence[Chem.Mol], patterns: np.ndarray | None = None
) -> rdSubstructLibrary.SubstructLibrary:
    """RDKit's own search for structure, to compare with.

    Args:
        mols: n molecules.
        patterns: uint8, (n, bits), their pattern fingerprints, to screen with; without
            them every molecule is tried for every query.
    """
    holder = rdSubstructLibrary.MolHolder()
    for mol in mols:
        holder.AddMol(mol)
    if patterns is None:
        return rdSubstructLibrary.SubstructLibrary(holder)
    screen = rdSubstructLibrary.PatternHolder(patterns.shape[1])
    for fingerprint in _bit_vectors(patterns):
        screen.AddFingerprint(fingerprint)
    return rdSubstructLibrary.SubstructLibrary(holder, screen)


def fpsim2_engine(fingerprints: np.ndarray) -> "FPSim2Engine":
    """FPSim2 with fingerprints that are there already, to compare with.

    https://chembl.github.io/FPSim2; ask it with RDKit's fingerprints of the same length.

    Args:
        fingerprints: uint8, (n, bits), rows of 0 and 1; hits are rows of it.
    """
    import FPSim2
    import rdkit
    import tables
    from FPSim2.io.backends.pytables import create_schema, sort_db_file
    from FPSim2.io.chem import process_fp

    bits = fingerprints.shape[1]
    with TemporaryDirectory() as folder:
        file = f"{folder}/fingerprints.h5"
        with tables.open_file(file, "w") as store:
            table = store.create_table(store.root, "fps", create_schema(bits))
            table.append(
                [process_fp(one, row) for row, one in enumerate(_bit_vectors(fingerprints))]
            )
            table.cols.popcnt.create_index(kind="full")
            config = store.create_vlarray(store.root, "config", atom=tables.ObjectAtom())
            # The kind only matters for queries that are not fingerprints yet.
            for value in ("Morgan", {"fpSize": bits}, rdkit.__version__, FPSim2.__version__):
                config.append(value)
        sort_db_file(file)
        return FPSim2.FPSim2Engine(file)


def _bit_vectors(fingerprints: np.ndarray) -> list[DataStructs.ExplicitBitVect]:
    # RDKit's text has the first bit of a fingerprint as the lowest of the first byte.
    packed = np.packbits(fingerprints, axis=1, bitorder="little")
    return [DataStructs.CreateFromBinaryText(row.tobytes()) for row in packed]
