"""A gene as people give it, checked, and the protein that it stands for."""

from math import log
from typing import Any

from Bio.Data.CodonTable import unambiguous_dna_by_id
from Bio.Seq import reverse_complement, translate
from Bio.SeqUtils import gc_fraction

from helpers.encoders.base import Encoder
from helpers.errors import BadItem
from helpers.inputs.tables import odd_letter

MIN_BASES = 60  # shorter pieces have too few words to be told from chance
MIN_CERTAIN = 4  # amino acids in a row, the longest word of an encoder
MAX_BASES = 100_000  # the longest gene of the catalogue has a tenth; a genome is no gene
_CODE = unambiguous_dna_by_id[11]  # the genetic code of bacteria, by NCBI's number
_IUPAC = frozenset("ACGTRYSWKMBDHVN")  # the bases, and the letters for "one of several bases"
_CLEAN = str.maketrans("uU", "TT", "-.~")  # RNA to DNA; gaps of alignments go
_OPEN = str.maketrans("BJZ", "XXX")  # one of two amino acids

# How frequent each amino acid is in proteins in general, in percent: the UniProtKB/Swiss-Prot
# release statistics, https://web.expasy.org/docs/relnotes/relstat.html
FREQUENCY = dict(
    zip(
        "ARNDCQEGHILKMFPSTWYV",
        (8.25, 5.53, 4.06, 5.46, 1.38, 3.93, 6.72, 7.07, 2.27, 5.91)
        + (9.65, 5.80, 2.41, 3.86, 4.74, 6.65, 5.36, 1.10, 2.92, 6.86),
        strict=True,
    )
)


def check_dna(item: Any) -> str:
    """DNA as an encoder takes it: capitals, U as T, without blanks and gaps.

    Args:
        item: the sequence; lower case, RNA, IUPAC's letters for uncertain bases, line breaks and
            gaps are all right.

    Raises:
        BadItem: it is no text, empty, a protein, too short or too long, or mostly uncertain.
    """
    if not isinstance(item, str):
        raise BadItem(f"not a sequence but {type(item).__name__}")
    written = "".join(item.split())
    if odd := odd_letter(written):
        raise BadItem(f"not DNA: it has {odd}; give the letters of its bases only")
    sequence = written.translate(_CLEAN).upper().rstrip("*")  # some programs end a sequence so
    if not sequence:
        raise BadItem("an empty sequence")
    odd = "".join(sorted(set(sequence) - _IUPAC))
    if odd and all(letter.isalpha() or letter == "*" for letter in odd):
        raise BadItem(f"not DNA: it has the letters {odd}, as a protein has; give its gene")
    if odd:
        raise BadItem(f"not DNA: it has {odd[:10]!r}; give letters only")
    certain = sum(map(sequence.count, "ACGT")) / len(sequence)
    if certain < 0.5:
        raise BadItem(
            f"only {certain:.0%} of its letters are A, C, G, T or U: a protein, or too uncertain"
        )
    if len(sequence) < MIN_BASES:
        raise BadItem(f"too short: {len(sequence)} bases, and at least {MIN_BASES} are needed")
    if len(sequence) > MAX_BASES:
        raise BadItem(
            f"too long: {len(sequence):,} bases, and at most {MAX_BASES:,} are read; cut out genes"
        )
    return sequence


def reading_frame(dna: str) -> str:
    """The protein that a gene, or a piece of one, most likely stands for.

    A whole gene, from a start codon to its only stop codon, is read as it is. Of anything else
    both strands are read from each of their first three bases. Among the stretches without a stop
    codon, those of at least half the length of the longest, that one counts whose amino acids
    speak most for a protein and against chance: by the logarithm of how much more frequent each
    is in proteins than in bases drawn at random.

    Args:
        dna: a sequence as ``check_dna`` returns it.

    Returns:
        Amino acids as letters, X where the bases leave it open. The same for both strands.
    """
    # In a fixed order of the strands, so that a tie is not decided by which one was given.
    strands = sorted((dna, reverse_complement(dna)))
    for strand in strands:
        protein = _read(strand)
        whole = len(strand) % 3 == 0 and protein.find("*") == len(protein) - 1
        if whole and strand[:3] in _CODE.start_codons:
            return protein[:-1]
    frames = [_read(strand[start:]) for strand in strands for start in range(3)]
    stretches = [stretch for protein in frames for stretch in protein.split("*")]
    enough = max(map(len, stretches)) / 2  # a few likely letters are no match for a long stretch
    evidence = _evidence(dna)
    return max(
        (stretch for stretch in stretches if len(stretch) >= enough),
        key=lambda stretch: sum(evidence[letter] * stretch.count(letter) for letter in evidence),
    )


def _read(strand: str) -> str:
    protein = translate(strand[: len(strand) - len(strand) % 3], table=_CODE.id)
    return protein.translate(_OPEN)


def _evidence(dna: str) -> dict[str, float]:
    """The log odds of each amino acid: in a protein, against bases drawn as often as in ``dna``."""
    share = min(max(gc_fraction(dna), 0.05), 0.95)  # on both strands together, G as often as C
    base = {"G": share / 2, "C": share / 2, "A": (1 - share) / 2, "T": (1 - share) / 2}
    drawn = dict.fromkeys(FREQUENCY, 0.0)
    for codon, letter in _CODE.forward_table.items():
        drawn[letter] += base[codon[0]] * base[codon[1]] * base[codon[2]]
    return {letter: log(FREQUENCY[letter] / 100 / drawn[letter]) for letter in FREQUENCY}


class GeneEncoder(Encoder):
    """An encoder of proteins that takes genes; what it makes of a protein says its ``embed``.

    A gene and its reverse complement, the same gene read from the other strand, get one vector.
    """

    batch_size = 64

    def content(self, item: Any) -> str:
        """The strand that comes first in the alphabet, so that both have the same id."""
        dna = check_dna(item)
        return min(dna, reverse_complement(dna))

    def prepare(self, item: Any) -> str:
        """Check a sequence, see ``check_dna``, and read its protein, see ``reading_frame``."""
        protein = reading_frame(check_dna(item))
        if len(max(protein.split("X"), key=len)) < MIN_CERTAIN:
            raise BadItem(f"no {MIN_CERTAIN} amino acids in a row can be read in it")
        return protein
