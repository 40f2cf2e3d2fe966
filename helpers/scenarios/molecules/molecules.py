"""Molecules: load a collection of them, read what people type, cut them into building blocks.

A molecule is written as a SMILES, a line of text such as ``CCO`` for ethanol (Weininger 1988,
https://doi.org/10.1021/ci00057a005). RDKit reads it: https://www.rdkit.org/docs.
"""

import gzip
import random
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from rdkit import Chem, rdBase
from rdkit.Chem import BRICS, Descriptors
from rdkit.Chem.rdMolDescriptors import CalcCrippenDescriptors

from helpers.assets import fetch
from helpers.errors import BadItem, HelpfulError
from helpers.tables import read_table

MAX_LETTERS = 1_000  # of a SMILES; drugs have about 50
MAX_ATOMS = 150  # hydrogen not counted; drugs have about 30
_AS_ANY_ATOM = Chem.AdjustQueryParameters.NoAdjustments()
_AS_ANY_ATOM.makeDummiesQueries = True


class Molecule(NamedTuple):
    """A molecule that was read.

    Attributes:
        mol: RDKit's molecule; in a pattern with wildcards each stands for any atom.
        smiles: its canonical SMILES, the same however it was typed.
        note: what was left out, in a sentence, or nothing.
    """

    mol: Chem.Mol
    smiles: str
    note: str = ""


def read_molecule(text: str, wildcards: bool = False) -> Molecule:
    """Read a SMILES that somebody typed, and say in plain words what is wrong with it.

    Of several molecules, as in a salt, the largest is kept and the note says so. RDKit's own
    messages are kept from the screen.

    Args:
        text: a SMILES; blanks around it do not matter.
        wildcards: whether ``*`` may stand for any atom but hydrogen.

    Raises:
        BadItem: there is nothing, too much, no SMILES, a molecule that chemistry does not allow,
            or a wildcard where it has no meaning.
    """
    text = text.strip()
    if not text:
        raise BadItem("There is no SMILES: type one, such as CCO for ethanol.")
    if len(text) > MAX_LETTERS:
        raise BadItem(
            f"This SMILES has {len(text):,} letters and at most {MAX_LETTERS:,} are read: search "
            "for a part of it."
        )
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(text)
        if mol is None:
            raise BadItem(_explain(text))
        mol, note = _largest(mol)
    if mol.GetNumAtoms() > MAX_ATOMS:
        raise BadItem(
            f"This molecule has {mol.GetNumAtoms()} atoms beside hydrogen and at most {MAX_ATOMS} "
            "are read: search for a part of it."
        )
    smiles = Chem.MolToSmiles(mol)
    if "*" in smiles:
        if not wildcards:
            raise BadItem(
                "A wildcard (*) stands for any atom, so there is no one molecule to compare: leave "
                "it out, or ask which molecules contain the pattern."
            )
        if all(atom.GetAtomicNum() == 0 for atom in mol.GetAtoms()):
            raise BadItem("This pattern has only wildcards (*): give it at least one real atom.")
        mol = Chem.AdjustQueryProperties(mol, _AS_ANY_ATOM)
    return Molecule(mol, smiles, note)


def _explain(text: str) -> str:
    """What is wrong with a text that RDKit does not read."""
    shown = text if len(text) <= 40 else f"{text[:40]}…"
    mol = Chem.MolFromSmiles(text, sanitize=False)
    if mol is not None:
        problem = _in_words(Chem.DetectChemistryProblems(mol)[0], mol)
        return f"{shown!r} is no possible molecule: {problem}."
    hint = "look for a bracket or a ring number without its partner"
    if text.startswith("InChI="):
        hint = "it is an InChI; RDKit's MolFromInchi reads those"
    elif ">" in text:
        hint = "it is a reaction; give one molecule"
    elif re.fullmatch(r"[A-Za-z][a-z -]{3,}", text):
        hint = "it looks like a name; look its SMILES up, for example in PubChem"
    return f"{shown!r} cannot be read as a SMILES: {hint}."


def _in_words(problem: Chem.MolSanitizeException, mol: Chem.Mol) -> str:
    if problem.GetType() == "AtomValenceException":
        place = problem.GetAtomIdx()
        symbol = mol.GetAtomWithIdx(place).GetSymbol()
        return f"atom {place + 1} ({symbol}) has more bonds than {symbol} can have"
    if problem.GetType() == "AtomKekulizeException":
        return "an atom written in lower case, as in an aromatic ring, is in no ring"
    return (
        "its rings in lower case cannot be aromatic; a nitrogen with a hydrogen on it is written "
        "[nH]"
    )


def _largest(mol: Chem.Mol) -> tuple[Chem.Mol, str]:
    parts = Chem.GetMolFrags(mol, asMols=True) if len(Chem.GetMolFrags(mol)) > 1 else (mol,)
    largest = max(parts, key=lambda part: (part.GetNumAtoms(), Descriptors.MolWt(part)))
    if all(atom.GetAtomicNum() == 1 for atom in largest.GetAtoms()):
        raise BadItem("There is nothing but hydrogen here: give a molecule with other atoms.")
    if len(parts) == 1:
        return mol, ""
    kept = Chem.MolToSmiles(largest)
    return largest, f"Of {len(parts)} parts only the largest is used: {kept}."


def properties(mol: Chem.Mol) -> tuple[float, float]:
    """Molecular weight in dalton, and logP.

    logP says how much better a molecule dissolves in fat than in water, as the power of ten; here
    it is estimated from the atoms (Wildman & Crippen 1999, https://doi.org/10.1021/ci990307l).
    """
    return Descriptors.MolWt(mol), CalcCrippenDescriptors(mol)[0]


def building_blocks(smiles: Iterable[str], at_least: int = 5) -> list[str]:
    """The pieces that molecules come apart into at bonds that chemists know how to make.

    Which bonds these are says BRICS (Degen et al. 2008, https://doi.org/10.1002/cmdc.200800178).
    A cut bond becomes a hydrogen.

    Args:
        smiles: molecules; those that cannot be read are left out.
        at_least: atoms in a piece, hydrogen not counted; smaller ones are left out.

    Returns:
        Canonical SMILES, each once, in order of their first molecule.
    """
    found: dict[str, None] = {}
    for one in smiles:
        try:
            mol = read_molecule(one).mol
        except BadItem:
            continue
        bonds = [mol.GetBondBetweenAtoms(*pair).GetIdx() for pair, _ in BRICS.FindBRICSBonds(mol)]
        cut = Chem.FragmentOnBonds(mol, bonds, addDummies=False) if bonds else mol
        for piece in sorted(Chem.MolToSmiles(cut).split(".")):
            # Reading a piece again gives the hydrogens their final places.
            block = Chem.MolFromSmiles(piece)
            if block.GetNumAtoms() >= at_least:
                found[Chem.MolToSmiles(block)] = None
    return list(found)


def load_molecules(source: Path | str, size: int, unseen: int) -> tuple[list[str], list[str]]:
    """Draw molecules to store, and others to ask with.

    Args:
        source: ``"moses"`` for 352,299 drug-like molecules, or the path of a ``.csv`` with a column
            ``smiles`` or of a text file whose lines begin with a SMILES (``.smi``, ``.txt``).
        size: how many to store, or all but ``unseen`` where there are fewer.
        unseen: how many others to draw.

    Returns:
        Two lists of SMILES as they stand in the source. None is in both, or twice, unless it was
        written in two ways.

    Raises:
        HelpfulError: the file is not there, cannot be used or has too few molecules.
        AssetError: the molecules could not be fetched.
    """
    lines = _moses() if source == "moses" else _own(Path(source).expanduser())
    found = list(dict.fromkeys(lines))
    if len(found) < 2 * unseen:
        raise HelpfulError(
            f"{Path(source).name} has {len(found):,} different lines; give at least "
            f"{2 * unseen:,}, since {unseen:,} molecules are set aside to ask with."
        )
    drawn = random.Random(0).sample(found, min(len(found), size + unseen))
    return drawn[unseen:], drawn[:unseen]


def _moses() -> list[str]:
    folder = fetch("moses")
    files = [folder / f"{name}.csv.gz" for name in ("test", "test_scaffolds")]
    texts = [gzip.decompress(file.read_bytes()).decode() for file in files]
    return [smiles for text in texts for smiles in text.split()[1:]]  # after the header


def _own(path: Path) -> list[str]:
    if not path.is_file():
        raise HelpfulError(f"There is no file {path.name}: give the path of a .csv or .smi.")
    content = path.read_bytes()
    if path.suffix.lower() == ".csv":
        rows = [row.values.get("smiles", "") for row in read_table(content, path.name, ["smiles"])]
    else:
        rows = content.decode("utf-8-sig", errors="replace").splitlines()
    return [row.split()[0] for row in rows if row.split()]
