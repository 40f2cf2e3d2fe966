"""Fingerprints of molecules, and the vectors that make an inner product search them exactly.

A fingerprint is a row of bits. Stored as a float vector x with its number of ones |x| appended, it
can be searched with the metric IP, which every Milvus has. With c = |q and x|, the number of ones
that query and stored molecule share, the vector (q, w) scores c + w·|x|:

- w = 0: c. It is |q| exactly where x has every bit of q.
- w = -1: c - |x|. It is 0 exactly where q has every bit of x.
- w = -t/(1+t): t/(1+t)·|q| or more exactly where Tanimoto's c/(|q|+|x|-c) is t or more.
"""

import multiprocessing
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from functools import partial
from typing import NamedTuple

import numpy as np
from rdkit import Chem, DataStructs, rdBase
from rdkit.Chem import rdFingerprintGenerator

from helpers.errors import BadItem, HelpfulError
from helpers.scenarios.molecules.molecules import properties, read_molecule

RADIUS = 2  # bonds around an atom that a Morgan fingerprint looks at
_NAMED = 10  # molecules that a report names
_CHUNK = 500  # molecules handed to a process at once


class Described(NamedTuple):
    """Molecules with all that is stored of them.

    Attributes:
        records: ``kind``, canonical ``smiles``, ``weight`` in dalton and ``logp`` of each of n
            molecules.
        morgan: uint8, (n, bits / 8), their packed Morgan fingerprints.
        pattern: uint8, (n, bits / 8), their packed pattern fingerprints.
        skipped: (SMILES as given, why it was left out).
    """

    records: list[dict]
    morgan: np.ndarray
    pattern: np.ndarray
    skipped: list[tuple[str, str]]

    def report(self) -> str:
        """What was read and what was left out, with names, in a few lines.

        Raises:
            HelpfulError: nothing could be read.
        """
        if self.skipped and not self.records:
            given, why = self.skipped[0]
            found = f"None of {len(self.skipped):,} is a molecule"
            raise HelpfulError(f"{found}; the first, {given[:40]!r}: {why}")
        lines = [f"{len(self.records):,} molecules, {len(self.skipped):,} skipped"]
        lines += [f"  {given[:40]!r}: {why}" for given, why in self.skipped[:_NAMED]]
        more = len(self.skipped) - _NAMED
        return "\n".join(lines + [f"  and {more:,} more"] * (more > 0))


def morgan(mol: Chem.Mol, bits: int) -> np.ndarray:
    """The Morgan fingerprint: a bit for each neighbourhood of an atom; for similarity.

    Rogers & Hahn 2010, https://doi.org/10.1021/ci100050t, there called ECFP4.

    Args:
        mol: a molecule without wildcards.
        bits: its length, a multiple of 8.

    Returns:
        uint8, (bits / 8,), packed.
    """
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=RADIUS, fpSize=bits)
    return _packed(generator.GetFingerprint(mol))


def pattern(mol: Chem.Mol, bits: int) -> np.ndarray:
    """RDKit's pattern fingerprint: what contains a molecule has all of its bits.

    https://www.rdkit.org/docs/RDKit_Book.html#pattern-fingerprints

    Args:
        mol: a molecule, or a pattern with wildcards, which set no bits.
        bits: its length, a multiple of 8.

    Returns:
        uint8, (bits / 8,), packed.
    """
    return _packed(Chem.PatternFingerprint(mol, fpSize=bits))


def _packed(fingerprint: DataStructs.ExplicitBitVect) -> np.ndarray:
    return np.frombuffer(DataStructs.BitVectToBinaryText(fingerprint), np.uint8)


def unpack_bits(packed: np.ndarray) -> np.ndarray:
    """The bits of packed fingerprints as float32 0 and 1: (..., bits / 8) becomes (..., bits)."""
    # RDKit's text has the first bit of a fingerprint as the lowest of the first byte.
    return np.unpackbits(packed, axis=-1, bitorder="little").astype(np.float32)


def count_ones(packed: np.ndarray) -> np.ndarray:
    """The number of ones in each packed fingerprint: (..., bits / 8) becomes int64 (...)."""
    return np.bitwise_count(packed).sum(axis=-1, dtype=np.int64)


def stored_vectors(packed: np.ndarray) -> np.ndarray:
    """Fingerprints as Milvus stores them: float32, (n, bits + 1), their ones counted at the end."""
    return np.hstack([unpack_bits(packed), count_ones(packed)[:, None].astype(np.float32)])


def similar_query(packed: np.ndarray, at_least: float) -> tuple[np.ndarray, float]:
    """The query whose score tells whether a Tanimoto similarity is reached.

    Args:
        packed: uint8, (bits / 8,), the query's Morgan fingerprint.
        at_least: the similarity t, from 0 to 1.

    Returns:
        The vector, float32 (bits + 1,), and the score that a similarity of ``at_least`` has.
    """
    share = at_least / (1 + at_least)
    return np.append(unpack_bits(packed), np.float32(-share)), share * int(count_ones(packed))


def contains_query(packed: np.ndarray) -> tuple[np.ndarray, float]:
    """The query for stored molecules that may contain this one.

    Args:
        packed: uint8, (bits / 8,), the query's pattern fingerprint.

    Returns:
        The vector, float32 (bits + 1,), and a radius: candidates score more, all others less.
    """
    return np.append(unpack_bits(packed), np.float32(0)), int(count_ones(packed)) - 0.5


def contained_query(packed: np.ndarray) -> tuple[np.ndarray, float]:
    """The query for stored molecules that this one may contain; as ``contains_query``."""
    return np.append(unpack_bits(packed), np.float32(-1)), -0.5


def rate(hits: Sequence[dict], at_least: float, packed: np.ndarray) -> list[tuple[float, int]]:
    """The exact Tanimoto similarities of hits, from their scores with ``similar_query``.

    Args:
        hits: as Milvus returns them, with the output field ``ones``.
        at_least: what the query was made with.
        packed: uint8, (bits / 8,), likewise.

    Returns:
        (similarity, id) of each hit, the most similar first.
    """
    share, ones = at_least / (1 + at_least), int(count_ones(packed))
    rated = []
    for hit in hits:
        # The number of shared ones is a whole number, so rounding takes away float32's error.
        shared = round(hit["distance"] + share * hit["ones"])
        either = ones + hit["ones"] - shared
        rated.append((shared / either if either else 1.0, hit["id"]))
    return sorted(rated, reverse=True)


def process_pool(workers: int = 2) -> ProcessPoolExecutor:
    """Processes to compute fingerprints in; use it as a context manager.

    RDKit makes pattern fingerprints under Python's lock, so threads would take turns.
    """
    # "spawn" works on every system, and does not copy the open connections of this process.
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"))
    list(pool.map(len, [()] * workers))
    return pool


def describe(
    smiles: Sequence[str],
    bits: int,
    pool: Executor | None = None,
    kind: str = "molecule",
    known: Iterable[str] = (),
) -> Described:
    """Read molecules and compute their properties and fingerprints.

    Args:
        smiles: SMILES of any origin; those that cannot be read are skipped, and so are copies.
        bits: the length of the fingerprints, a multiple of 8.
        pool: from ``process_pool``; without it everything is computed in this process.
        kind: what to call them in their records.
        known: canonical SMILES of others, whose copies are skipped, too.

    Raises:
        ValueError: ``bits`` is no positive multiple of 8.
    """
    if bits < 8 or bits % 8:
        raise ValueError(f"fingerprints need a multiple of 8 bits, not {bits}")
    one = partial(_describe_one, bits=bits)
    described = pool.map(one, smiles, chunksize=_CHUNK) if pool else map(one, smiles)
    seen, rows, skipped = set(known), [], []
    for given, found in zip(smiles, described, strict=True):
        if isinstance(found, str):
            skipped.append((given, found))
        elif (canonical := found[0]["smiles"]) in seen:
            skipped.append((given, f"It is a copy of {canonical}."))
        else:
            seen.add(canonical)
            rows.append(({"kind": kind} | found[0], *found[1:]))
    records, *columns = zip(*rows, strict=True) if rows else ((), (), ())
    packed = [np.array(column, np.uint8).reshape(len(rows), bits // 8) for column in columns]
    return Described(list(records), *packed, skipped)


def join(one: Described, other: Described) -> Described:
    """Two lots of molecules as one; no molecule may be in both."""
    both = [np.vstack(columns) for columns in zip(one[1:3], other[1:3], strict=True)]
    return Described(one.records + other.records, *both, one.skipped + other.skipped)


def _describe_one(text: str, bits: int) -> tuple[dict, np.ndarray, np.ndarray] | str:
    """What is stored of a SMILES, or what is wrong with it."""
    with rdBase.BlockLogs():
        try:
            mol, canonical, _ = read_molecule(text)
            weight, logp = properties(mol)
            record = {"smiles": canonical, "weight": weight, "logp": logp}
            return record, morgan(mol, bits), pattern(mol, bits)
        except BadItem as error:
            return str(error)
