"""Genes with their family: resistance genes of bacteria, the classic tables, and a reader's own."""

import io
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from Bio.SeqIO.FastaIO import SimpleFastaParser

from helpers.assets import fetch
from helpers.errors import HelpfulError
from helpers.inputs.tables import read_table, read_text


class Gene(NamedTuple):
    """What is known of a gene.

    Attributes:
        name: such as ``"blaTEM-1"``.
        family: such as ``"Bla A"``; empty if it is none of those that are told apart here.
        resistance: the drugs it protects from, as far as its description names them.
    """

    name: str
    family: str
    resistance: str = ""


# Family -> how the symbol of its genes begins. aadA and its like are ANT by another name.
_SYMBOLS = {
    "AAC": r"aac\(",
    "ANT": r"ant\(|aad",
    "APH": r"aph\(",
    **{
        family: family.lower()
        for family in ("Cat", "Dfr", "Erm", "Fos", "MCR", "Oqx", "Qnr", "Stx", "Sul", "Tet", "Van")
    },
}
# The same enzymes under other symbols, which are neither of a family here nor of none.
_OTHER_NAMES = re.compile(r"aacA|aphA")

# A word of the description -> the drugs. The first that is found counts.
_DRUGS = {
    "carbapenem": "carbapenems",
    "extended-spectrum": "cephalosporins",
    "cephalosporin": "cephalosporins",
    "beta-lactam": "beta-lactams",
    "aminoglycoside": "aminoglycosides",
    r"AAC\(|APH\(|ANT\(|tobramycin|gentamicin|kanamycin": "aminoglycosides",
    "quinolone": "quinolones",
    "phosphoethanolamine": "colistin",
    "tetracycline": "tetracyclines",
    "trimethoprim": "trimethoprim",
    r"23S_rRNA|macrolide": "macrolides",
    r"D-[Aa]la|D-lactate|glycopeptide|vancomycin|Van": "vancomycin",
    "chloramphenicol": "chloramphenicol",
    "fosfomycin": "fosfomycin",
    r"sulfonamide|SulR": "sulfonamides",
    "Oqx": "several (a pump)",
    "multidrug": "several (a pump)",
    "toxin": "none (a toxin)",
}

# The seven families of the classic tables, by the number that stands for them.
CLASSIC = (
    "G protein coupled receptor",
    "tyrosine kinase",
    "tyrosine phosphatase",
    "synthetase",
    "synthase",
    "ion channel",
    "transcription factor",
)


def load_genes(data: str = "resistance") -> dict[str, Gene]:
    """The genes of a data set by their sequence, each sequence once.

    Args:
        data: ``"resistance"``, 4,963 genes of bacteria in 17 families; or ``"human"``,
            ``"chimp"`` or ``"dog"``, the tables of a classic tutorial, in 7 families.

    Raises:
        AssetError: the data set cannot be reached.
        HelpfulError: there is no such data set, or its file is not what it should be.
    """
    if data in ("human", "chimp", "dog"):
        path = fetch(f"genes-{data}")
        return classic_table(path.read_bytes(), path.name)
    if data != "resistance":
        raise HelpfulError(
            f"There is no gene data {data!r}; choose resistance, human, chimp or dog."
        )
    return {sequence: gene for sequence, gene in _catalogue().items() if gene.family}


def load_other_genes() -> dict[str, Gene]:
    """Genes of the same catalogue that belong to none of the 17 families, by their sequence.

    Toxins, adhesins, metal pumps, metallo-beta-lactamases and more. The few that are of a family
    under another symbol (aacA, aphA) are left out.
    """
    return {
        sequence: gene
        for sequence, gene in _catalogue().items()
        if not gene.family and not _OTHER_NAMES.match(gene.name)
    }


@cache
def _catalogue() -> dict[str, Gene]:
    """All of NCBI's catalogue. Of a gene that is listed under two families the first counts."""
    genes: dict[str, Gene] = {}
    with fetch("resistance_genes").open(encoding="utf-8") as file:
        for title, sequence in SimpleFastaParser(file):
            fields = title.split("|")
            symbol, product = fields[5], fields[7].split(" ")[0]
            gene = Gene(symbol, _family(symbol, product), _resistance(product))
            genes.setdefault(sequence.upper(), gene)
    return genes


def _family(symbol: str, product: str) -> str:
    # Class B has subclasses only, and so does not match: metallo-enzymes, unlike the others.
    if found := re.search(r"(?<!sub)class_([A-D])_beta|(?<!sub)class_([A-D])_.*beta-lact", product):
        return f"Bla {found.group(1) or found.group(2)}"
    matching = (name for name, start in _SYMBOLS.items() if re.match(start, symbol, re.IGNORECASE))
    return next(matching, "")


def _resistance(product: str) -> str:
    return next((drugs for word, drugs in _DRUGS.items() if re.search(word, product)), "not stated")


def classic_table(content: bytes, name: str) -> dict[str, Gene]:
    """Read a table of the classic tutorial: sequence, tab, number of the family.

    Args:
        content: the table, with the columns ``sequence`` and ``class``.
        name: its file's name, for the message.

    Returns:
        Sequence -> gene; a sequence that stands there again is left out.

    Raises:
        HelpfulError: it is no such table, or a line has no such number.
    """
    genes: dict[str, Gene] = {}
    for line, row, _ in read_table(content, name, ["sequence", "class"]):
        family = row.get("class", "")
        if family not in map(str, range(len(CLASSIC))):
            raise HelpfulError(
                f"{name}, line {line}: {family[:20]!r} is no family from 0 to 6; fetch it anew."
            )
        genes.setdefault(row["sequence"].upper(), Gene(f"line {line}", CLASSIC[int(family)]))
    return genes


def read_fasta(content: bytes, name: str, most: int | None = None) -> list[tuple[str, str]]:
    """The records of a FASTA file, name and sequence, or a bare sequence as its only record.

    What is not DNA stays in: an encoder says what is wrong with it, and the others are kept. Lines
    that begin with a semicolon are comments.

    Args:
        content: the file's bytes, see ``read_text``.
        name: the file's name, for messages and for a record that has none.
        most: how many records it may have.

    Returns:
        (name, sequence) of each; a name that is missing or stands there again gets its number.

    Raises:
        HelpfulError: it is empty, not a text, or has too many records.
    """
    lines = io.StringIO(read_text(content, name), newline=None)  # ended by CR, LF or both
    kept = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith(";")]
    if not kept:
        raise HelpfulError(f"{name} is empty; give a sequence, or FASTA: a line >name before it.")
    if not kept[0].startswith(">"):
        kept.insert(0, f">{Path(name).stem}")
    records, names = [], {""}
    for number, (title, sequence) in enumerate(SimpleFastaParser(iter(kept)), start=1):
        title = title.strip()
        own = f"{title} (record {number})".strip() if title in names else title
        names.add(title)
        records.append((own, sequence))
    if most and len(records) > most:
        raise HelpfulError(f"{name} has {len(records):,} records: give at most {most:,} at a time.")
    return records
