"""Many molecules at once: read them, name those that cannot be read, compute their properties."""

import multiprocessing
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from typing import NamedTuple

from rdkit import Chem, rdBase

from helpers.errors import BadItem, HelpfulError
from helpers.scenarios.molecules.molecules import properties, read_molecule

_NAMED = 10  # molecules that a report names
_CHUNK = 500  # molecules handed to a process at once


class Described(NamedTuple):
    """Molecules that were read.

    Attributes:
        records: ``kind``, canonical ``smiles``, ``weight`` in dalton and ``logp`` of each of n
            molecules.
        mols: RDKit's n molecules.
        skipped: (SMILES as given, why it was left out).
    """

    records: list[dict]
    mols: list[Chem.Mol]
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


def process_pool(workers: int = 2) -> ProcessPoolExecutor:
    """Processes to read molecules in; use it as a context manager."""
    # "spawn" works on every system, and does not copy the open connections of this process.
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"))
    list(pool.map(len, [()] * workers))
    return pool


def describe(
    smiles: Sequence[str],
    pool: Executor | None = None,
    kind: str = "molecule",
    known: Iterable[str] = (),
) -> Described:
    """Read molecules and compute their properties.

    Args:
        smiles: SMILES of any origin; those that cannot be read are skipped, and so are copies.
        pool: from ``process_pool``; without it everything is computed in this process.
        kind: what to call them in their records.
        known: canonical SMILES of others, whose copies are skipped, too.
    """
    if pool:
        results = pool.map(_describe_one, smiles, chunksize=_CHUNK)
    else:
        results = map(_describe_one, smiles)
    seen, found = set(known), Described([], [], [])
    for given, result in zip(smiles, results, strict=True):
        if isinstance(result, str):
            found.skipped.append((given, result))
        elif (canonical := result[0]["smiles"]) in seen:
            found.skipped.append((given, f"It is a copy of {canonical}."))
        else:
            seen.add(canonical)
            found.records.append({"kind": kind} | result[0])
            found.mols.append(result[1])
    return found


def join(one: Described, other: Described) -> Described:
    """Two lots of molecules as one; no molecule may be in both."""
    return Described(*(mine + theirs for mine, theirs in zip(one, other, strict=True)))


def _describe_one(text: str) -> tuple[dict, Chem.Mol] | str:
    """The record of a SMILES and its molecule, or what is wrong with it."""
    with rdBase.BlockLogs():
        try:
            mol, canonical, _ = read_molecule(text)
        except BadItem as error:
            return str(error)
        weight, logp = properties(mol)
        return {"smiles": canonical, "weight": weight, "logp": logp}, mol
