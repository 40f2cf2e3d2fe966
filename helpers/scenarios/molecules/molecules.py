"""Molecules: load a collection of them, read what people type, cut them into building blocks.

A molecule is written as a SMILES, a line of text such as ``CCO`` for ethanol (Weininger 1988,
https://doi.org/10.1021/ci00057a005). RDKit reads it: https://www.rdkit.org/docs.
"""

import gzip
import io
import os
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
from helpers.inputs.tables import odd_letter, read_table, read_text

MAX_LETTERS = 1_000  # of a SMILES; drugs have about 50
MAX_ATOMS = 150  # hydrogen not counted; drugs have about 30
_NAMED = 10  # lines of a file that are named if they are left out
_SMARTS = re.compile(r"~|\[#|\[[^]]*[!&,;$]")  # what SMILES has not, but patterns in SMARTS have
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
        text: a SMILES; what follows it after a blank is taken for its name.
        wildcards: whether ``*`` may stand for any atom but hydrogen. A label on it, as in ``[1*]``
            or ``[*:1]``, says where a piece was cut off, and is left out.

    Raises:
        BadItem: there is nothing, too much, no SMILES, a molecule that chemistry does not allow,
            or a wildcard where it has no meaning.
    """
    smiles = next(iter(text.split()), "")
    if not smiles:
        raise BadItem("There is no SMILES: type one, such as CCO for ethanol.")
    if len(smiles) > MAX_LETTERS:
        raise BadItem(
            f"This SMILES has {len(smiles):,} letters and at most {MAX_LETTERS:,} are read: search "
            "for a part of it."
        )
    with rdBase.BlockLogs():
        mol = None if _SMARTS.search(smiles) or odd_letter(smiles) else Chem.MolFromSmiles(smiles)
        if mol is None:
            raise BadItem(_explain(smiles, text.strip()))
        mol, note = _largest(mol)
    if mol.GetNumAtoms() > MAX_ATOMS:
        raise BadItem(
            f"This molecule has {mol.GetNumAtoms()} atoms beside hydrogen and at most {MAX_ATOMS} "
            "are read: search for a part of it."
        )
    for atom in mol.GetAtoms():
        atom.SetAtomMapNum(0)
    if any(atom.GetAtomicNum() == 0 for atom in mol.GetAtoms()):
        mol = _pattern(mol, wildcards)
    return Molecule(mol, Chem.MolToSmiles(mol), note)


def _pattern(mol: Chem.Mol, wildcards: bool) -> Chem.Mol:
    """A molecule with wildcards, each of which matches any atom."""
    if not wildcards:
        raise BadItem(
            "A wildcard (*) stands for any atom, so there is no one molecule to compare: leave it "
            "out, or ask which molecules contain the pattern."
        )
    stars = [atom for atom in mol.GetAtoms() if atom.GetAtomicNum() == 0]
    if len(stars) == mol.GetNumAtoms():
        raise BadItem("This pattern has only wildcards (*): give it at least one real atom.")
    if any(atom.GetFormalCharge() or atom.GetTotalNumHs() for atom in stars):
        raise BadItem(
            "A wildcard (*) stands for any atom, whatever its charge and hydrogens: write it "
            "without them."
        )
    for atom in stars:
        atom.SetIsotope(0)  # RDKit takes one with a label for an atom that nothing has
    return Chem.AdjustQueryProperties(mol, _AS_ANY_ATOM)


def _explain(smiles: str, text: str) -> str:
    """What is wrong with a SMILES that is not read; ``text`` is all that was typed."""
    shown = repr(smiles if len(smiles) <= 40 else f"{smiles[:40]}…")
    if odd := odd_letter(smiles):
        return f"{shown} cannot be read as a SMILES: it has {odd}; type it in plain letters."
    if _SMARTS.search(smiles):
        return f"{shown} is a pattern in SMARTS: only SMILES are read, with * for any atom."
    mol = Chem.MolFromSmiles(smiles, sanitize=False)
    try:
        Chem.SanitizeMol(mol or Chem.Mol())
    except Chem.MolSanitizeException as error:
        return f"{shown} is no possible molecule: {_in_words(error.cause, mol)}."
    hint = "look for a bracket or a ring number without its partner"
    if smiles.startswith("InChI="):
        hint = "it is an InChI; RDKit's MolFromInchi reads those"
    elif ">" in smiles:
        hint = "it is a reaction; give one molecule"
    elif re.search("[,;]", smiles):
        hint = "it goes on after a comma or semicolon, which no SMILES has"
    elif re.fullmatch(r"[A-Za-z][a-z -]{3,}", text):
        hint = "it looks like a name; look its SMILES up, for example in PubChem"
    return f"{shown} cannot be read as a SMILES: {hint}."


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
    parts = Chem.GetMolFrags(mol, asMols=True)
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
    with rdBase.BlockLogs():
        for one in smiles:
            try:
                mol = read_molecule(one).mol
            except BadItem:
                continue
            pairs = [pair for pair, _ in BRICS.FindBRICSBonds(mol)]
            bonds = [mol.GetBondBetweenAtoms(*pair).GetIdx() for pair in pairs]
            cut = Chem.FragmentOnBonds(mol, bonds, addDummies=False) if bonds else mol
            for piece in sorted(Chem.MolToSmiles(cut).split(".")):
                # Reading a piece again gives the hydrogens their final places.
                block = Chem.MolFromSmiles(piece)
                if block and block.GetNumAtoms() >= at_least:
                    found[Chem.MolToSmiles(block)] = None
    return list(found)


def load_molecules(source: Path | str, size: int, unseen: int) -> tuple[list[str], list[str]]:
    """Draw molecules to store, and others to ask with.

    Args:
        source: ``"moses"`` for 352,299 drug-like molecules, or the path of a ``.csv`` or ``.tsv``
            with a column ``smiles`` or of a text whose lines begin with a SMILES (``.smi``,
            ``.txt``), perhaps gzipped. Lines left out and copies are counted and named.
        size: how many to store, or all but ``unseen`` where there are fewer.
        unseen: how many others to draw, at most a tenth of all: of less than ten molecules none.

    Returns:
        Two lists of SMILES as they stand in the source. None is in both, or twice, unless it was
        written in two ways.

    Raises:
        HelpfulError: the file is not there, cannot be used or has no molecules, or ``size`` is
            less than 1.
        AssetError: the molecules could not be fetched.
    """
    if size < 1:
        raise HelpfulError(f"SIZE says how many molecules to store: give 1 or more, not {size}.")
    lines = _moses() if source == "moses" else _own(Path(os.path.expanduser(source)))
    found = list(dict.fromkeys(lines))
    if not found:
        raise HelpfulError(f"{Path(source).name} has no molecules; write one SMILES a line.")
    if len(found) < len(lines):
        print(f"{len(lines) - len(found):,} lines left out, whose SMILES stands there already")
    unseen = min(unseen, len(found) // 10)
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
    try:
        content = path.read_bytes()
    except OSError as error:
        raise HelpfulError(f"{path.name} cannot be read: {error.strerror}.") from None
    if not path.name.lower().removesuffix(".gz").endswith((".csv", ".tsv")):
        lines = io.StringIO(read_text(content, path.name), newline=None)  # ended by CR, LF or both
        return [line.split()[0] for line in lines if line.split()]
    rows = read_table(content, path.name, ["smiles"])
    good = [row.values["smiles"].split()[0] for row in rows if row.values.get("smiles")]
    bad = [
        f"line {row.line}: {row.problem or 'no SMILES'}"
        for row in rows
        if not row.values.get("smiles")
    ]
    if bad:
        print(f"{len(bad):,} rows left out of {path.name}:", "; ".join(bad[:_NAMED]))
    return good
