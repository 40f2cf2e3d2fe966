"""Molecules as people type them or have them in files."""

from collections.abc import Sequence
from pathlib import Path

from helpers.errors import BadItem
from helpers.scenarios.molecules.describe import describe
from helpers.scenarios.molecules.molecules import building_blocks, load_molecules, read_molecule
from tests.hostile.form import Case, LeftOut, Read, each


def typed(text: str) -> str:
    return read_molecule(text).smiles


def pattern(text: str) -> str:
    return read_molecule(text, wildcards=True).smiles


def described(items: Sequence[str], folder: Path) -> list:
    """What is stored of each; its records and molecules stand in the order of the items."""
    found = describe(items)
    assert len(found.records) == len(found.mols)
    reasons, smiles = dict(found.skipped), iter([record["smiles"] for record in found.records])
    return [LeftOut(reasons[item]) if item in reasons else next(smiles) for item in items]


def file(items: Sequence[str], folder: Path) -> list:
    """Each item is a line of a file."""
    path = folder / "mine.smi"
    path.write_text("\n".join(items), encoding="utf-8")
    lines = load_molecules(path, 1_000, 0)[0]
    smiles = sorted(lines, key=[item.split()[0] for item in items].index)
    return described(smiles, folder)


def cut(text: str) -> str:
    """The pieces of a molecule, all of which can be read."""
    blocks = building_blocks([text], at_least=1)
    if not blocks:
        raise BadItem("without pieces")
    return " ".join(typed(block) for block in blocks)


GOOD = [lambda folder: "c1ccccc1O", lambda folder: "CC(=O)N"]
READERS = {
    "typed": each(typed),
    "pattern": each(pattern),
    "described": described,
    "file": file,
    "cut": each(cut),
}
PLAIN = ("typed", "file")  # the file goes through describe, too


def _case(name: str, text: str, verdict: Read | LeftOut, readers: tuple[str, ...] = PLAIN) -> Case:
    return Case(name, lambda folder: text, verdict, readers=readers)


def _is(smiles: str) -> Read:
    return Read(lambda found: found == smiles)


NO_PARTNER = LeftOut("without its partner")
CASES = [
    _case("blanks", "  CCO\t", _is("CCO")),
    _case("no-break spaces", "\u00a0CCO\u00a0", _is("CCO")),
    _case("a name after it", "CCO ethanol, 96 %", _is("CCO")),
    _case("a name in Chinese", "CCO\t乙醇", _is("CCO")),
    _case("a long name", "CCO " + "x" * 5_000, _is("CCO")),
    _case("an extension after it", "C[C@H](N)O |&1:1|", _is("C[C@H](N)O")),
    _case("Kekulé form", "C1=CC=CC=C1", _is("c1ccccc1")),
    _case("salt", "[Na+].CC(=O)[O-]", _is("CC(=O)[O-]")),
    _case("two parts alike", "CCO.CCO", _is("CCO")),
    _case("radical", "C[CH2]", _is("[CH2]C")),
    _case("isotopes", "[13CH3]C([2H])O", _is("[2H]C([13CH3])O")),
    _case("numbers of atoms", "[CH3:1][CH2:7]O", _is("CCO")),
    _case("both hands", "N[C@@H](C)C(=O)O", _is("C[C@H](N)C(=O)O")),
    _case("cis and trans", "F/C=C\\F", _is("F/C=C\\F")),
    _case("metal", "[Fe]C", _is("[CH3][Fe]")),
    _case("charges", "[O-][n+]1ccccc1", _is("[O-][n+]1ccccc1")),
    _case("ring numbers of two digits", "C%12CC%12", _is("C1CC1")),
    _case("150 atoms", "C" * 150, _is("C" * 150)),
    _case("empty", "", LeftOut("There is no SMILES"), ("typed", "pattern", "described")),
    _case("only blanks", " \u00a0\n", LeftOut("There is no"), ("typed", "pattern", "described")),
    _case("151 atoms", "C" * 151, LeftOut("151 atoms")),
    _case("10,000 atoms", "C" * 10_000, LeftOut("10,000 letters")),
    _case("deep parentheses", "(" * 5_000 + "C" + ")" * 5_000, LeftOut("10,001 letters")),
    _case("deep branches", "C(" * 300 + "C" + ")" * 300, LeftOut("301 atoms")),
    _case("400 parentheses", "(" * 400 + "C" + ")" * 400, LeftOut("cannot be read")),
    _case("parenthesis missing", "CC(=O", NO_PARTNER),
    _case("ring not closed", "C1CC", NO_PARTNER),
    _case("bracket missing", "[C", NO_PARTNER),
    _case("name", "aspirin", LeftOut("looks like a name")),
    _case("InChI", "InChI=1S/CH4/h1H4", LeftOut("is an InChI")),
    _case("reaction", "CCO>>CC=O", LeftOut("is a reaction")),
    _case("reaction with an agent", "CCO>[Na]>CC=O", LeftOut("is a reaction")),
    _case("SMARTS of an element", "[#6]C", LeftOut("SMARTS")),
    _case("SMARTS of a choice", "[C,N]C", LeftOut("SMARTS")),
    _case("SMARTS of a bond", "C~C", LeftOut("SMARTS")),
    _case("SMARTS inside", "[$(CO)]N", LeftOut("SMARTS")),
    _case("a comma and a name", "CCO,ethanol", LeftOut("after a comma")),
    _case("element that is none", "[Xx]C", LeftOut("cannot be read")),
    _case("five bonds", "C(C)(C)(C)(C)C", LeftOut("atom 1 (C) has more bonds")),
    _case("RDKit detects nothing", "C1=CC=C[nH-]1", LeftOut("atom 5 (N) has more bonds")),
    _case("five bonds at selenium's side", "c1c$[se]c1", LeftOut("has more bonds")),
    _case("no aromatic ring", "c1cccc1", LeftOut("[nH]")),
    _case("small letter outside a ring", "cC", LeftOut("is in no ring")),
    _case("Cyrillic", "\u0421\u0421\u041e", LeftOut("CYRILLIC CAPITAL LETTER ES")),
    _case("Cyrillic at its end", "c1ccccc1\u0421", LeftOut("CYRILLIC CAPITAL LETTER ES")),
    _case("Greek", "CC\u039f", LeftOut("GREEK CAPITAL LETTER OMICRON")),
    _case("accent", "Cé", LeftOut("LATIN SMALL LETTER E WITH ACUTE")),
    _case("full width", "ＣＣ", LeftOut("FULLWIDTH")),
    _case("minus of typesetters", "CC(=O)[O\u2212]", LeftOut("MINUS SIGN")),
    _case("dash", "C\u2013C", LeftOut("EN DASH")),
    _case("zero-width space", "CC\u200bO", LeftOut("ZERO WIDTH SPACE")),
    _case("soft hyphen", "CC\u00adO", LeftOut("SOFT HYPHEN")),
    _case("mark of UTF-8 inside", "C\ufeffC", LeftOut("ZERO WIDTH NO-BREAK SPACE")),
    _case("emoji", "🙂", LeftOut("SLIGHTLY SMILING FACE")),
    _case("NUL", "CC\0O", LeftOut("a control character")),
    _case("half a character", "C\ud800", LeftOut("U+D800"), ("typed", "pattern", "described")),
    _case("hydrogen alone", "[H][H]", LeftOut("nothing but hydrogen")),
    _case("a wildcard", "*CC", LeftOut("A wildcard")),
    _case("a wildcard in a pattern", "*CC", _is("*CC"), ("pattern",)),
    _case("a label on a wildcard", "[1*]c1ccccc1", _is("*c1ccccc1"), ("pattern",)),
    _case("a number on a wildcard", "[*:1]c1ccccc1", _is("*c1ccccc1"), ("pattern",)),
    _case("a wildcard with a charge", "[*+]C", LeftOut("whatever its charge"), ("pattern",)),
    _case("a wildcard with hydrogen", "[*H]C", LeftOut("whatever its charge"), ("pattern",)),
    _case("only wildcards", "**", LeftOut("only wildcards"), ("pattern",)),
    _case("an amide cut", "CCC(=O)NCC", _is("CC CCC=O N"), ("cut",)),
    _case("nothing to cut", "CC(=O", LeftOut("without pieces"), ("cut",)),
]
