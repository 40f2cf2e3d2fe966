"""DNA encoders: a gene becomes a vector of the short words, the k-mers, that it is made of.

A gene and its reverse complement, the same gene read from the other strand, get the same vector.
"""

from collections.abc import Callable, Sequence
from functools import reduce
from math import log
from typing import Any

import numpy as np
from Bio.Data.CodonTable import unambiguous_dna_by_id
from Bio.Seq import reverse_complement, translate
from Bio.SeqUtils import gc_fraction

from helpers.encoders.base import Encoder
from helpers.errors import BadItem, HelpfulError
from helpers.inputs.tables import odd_letter

MIN_BASES = 60  # shorter pieces have too few words to be told from chance
MAX_BASES = 100_000  # the longest gene of the catalogue has a tenth; a genome is no gene
_CODE = unambiguous_dna_by_id[11]  # the genetic code of bacteria, by NCBI's number
_IUPAC = frozenset("ACGTRYSWKMBDHVN")  # the bases, and the letters for "one of several bases"
_CLEAN = str.maketrans("uU", "TT", "-.~")  # RNA to DNA; gaps of alignments go
_OPEN = str.maketrans("BJZ", "XXX")  # one of two amino acids

AMINO_ACIDS = tuple("ACDEFGHIKLMNPQRSTVWY")
# Amino acids that stand in for each other in related proteins, as one letter each. Eight groups:
# Murphy, Wallqvist & Levy, Protein Engineering 13 (2000), 149-152. Seven: theirs with H joined to
# K and R, for shorter vectors.
EIGHT = ("LVIMC", "AG", "ST", "P", "FYW", "EDNQ", "KR", "H")
SEVEN = ("LVIMC", "AG", "ST", "P", "FYW", "EDNQ", "KRH")
# How frequent each amino acid is in proteins in general, in percent: the UniProtKB/Swiss-Prot
# release statistics, https://web.expasy.org/docs/relnotes/relstat.html
_FREQUENCY = dict(
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
    drawn = dict.fromkeys(_FREQUENCY, 0.0)
    for codon, letter in _CODE.forward_table.items():
        drawn[letter] += base[codon[0]] * base[codon[1]] * base[codon[2]]
    return {letter: log(_FREQUENCY[letter] / 100 / drawn[letter]) for letter in _FREQUENCY}


def dna_kmers(sequence: str, k: int, canonical: bool = True) -> np.ndarray:
    """The words of ``k`` bases in a sequence, as numbers: int64, one per word.

    Args:
        sequence: DNA as ``check_dna`` returns it. Words with an uncertain base are left out.
        k: the length of a word.
        canonical: give a word and its reverse complement the same number, the smaller one.
    """
    return _dna_numbers(_words(sequence, "ACGT", k), canonical)


def protein_kmers(protein: str, k: int, groups: Sequence[str] = AMINO_ACIDS) -> np.ndarray:
    """The words of ``k`` amino acids in a protein, as numbers: int64, one per word.

    Args:
        protein: amino acids as capital letters. Words with any other letter are left out.
        k: the length of a word.
        groups: the amino acids that count as the same letter.
    """
    return _words(protein, groups, k) @ _powers(len(groups), k)


def _powers(letters: int, k: int) -> np.ndarray:
    """What the places of a word count, so that each word is one number."""
    return letters ** np.arange(k - 1, -1, -1)


def _dna_numbers(words: np.ndarray, canonical: bool) -> np.ndarray:
    powers = _powers(4, words.shape[1])
    numbers = words @ powers
    # With A, C, G, T as 0 to 3 the complement of a base is 3 minus it.
    return np.minimum(numbers, (3 - words[:, ::-1]) @ powers) if canonical else numbers


def _words(sequence: str, groups: Sequence[str], k: int) -> np.ndarray:
    """All words of k known letters, (n, k), each letter as the number of its group."""
    numbers = np.full(256, -1)
    for number, letters in enumerate(groups):
        numbers[list(letters.encode())] = number
    codes = numbers[np.frombuffer(sequence.encode(), np.uint8)]
    if len(codes) < k:
        return np.empty((0, k), int)
    words = np.lib.stride_tricks.sliding_window_view(codes, k)
    return words[(words >= 0).all(axis=1)]


class _Kmers(Encoder):
    batch_size = 64
    canonical = True  # both strands are one

    def content(self, item: Any) -> str:
        """The sequence; of a gene with two strands that which comes first in the alphabet.

        The id is made from it, so both strands have the same one.
        """
        dna = check_dna(item)
        return min(dna, reverse_complement(dna)) if self.canonical else dna


class DnaKmers(_Kmers):
    """How often each word of k bases occurs.

    Args:
        name: what the encoder is called.
        k: the length of a word.
        canonical: count a word and its reverse complement as one; without, the strand matters.
    """

    def __init__(self, name: str = "dna", k: int = 6, canonical: bool = True) -> None:
        self.name, self.k, self.canonical = name, k, canonical
        every = np.indices((4,) * k).reshape(k, -1).T
        self._counted = np.unique(_dna_numbers(every, canonical))
        self.dim = len(self._counted)

    def prepare(self, item: Any) -> str:
        """Check a sequence, see ``check_dna``; it must have a word without an uncertain base."""
        dna = check_dna(item)
        if not len(dna_kmers(dna, self.k, self.canonical)):
            raise BadItem(f"no {self.k} bases in a row are certain")
        return dna

    def embed(self, prepared: Sequence[str]) -> np.ndarray:
        """Count words: n sequences to (n, dim) float32."""
        words = (dna_kmers(dna, self.k, self.canonical) for dna in prepared)
        counts = [np.bincount(word, minlength=4**self.k)[self._counted] for word in words]
        return np.array(counts, np.float32)


class ProteinKmers(_Kmers):
    """Which words of k amino acids the protein of a gene holds.

    Args:
        name: what the encoder is called.
        k: the length of a word.
        groups: the amino acids that count as the same letter.
        weigh: ``"surprise"``, the negative logarithm of the chance that a protein of this length
            holds the word at all; ``"presence"``, 1 for each word; or ``"count"``.
    """

    def __init__(
        self,
        name: str = "protein",
        k: int = 4,
        groups: Sequence[str] = SEVEN,
        weigh: str = "surprise",
    ) -> None:
        self.name, self.k, self.groups = name, k, tuple(groups)
        self.dim = len(groups) ** k
        self._weigh: Callable[[np.ndarray], np.ndarray] = {
            "surprise": self._surprise,
            "presence": lambda counts: (counts > 0).astype(np.float32),
            "count": lambda counts: counts,
        }[weigh]
        frequency = np.array([sum(_FREQUENCY[letter] for letter in group) for group in groups])
        # Of each word, where the letters are drawn independently.
        self._chance = reduce(np.kron, [frequency / frequency.sum()] * k)

    def _surprise(self, counts: np.ndarray) -> np.ndarray:
        # n words, each this one with chance p: it is among them with chance 1 - exp(-n p).
        n = counts.sum(axis=1, keepdims=True)
        held = -np.expm1(-n * self._chance)
        return np.where(counts > 0, -np.log(np.maximum(held, 1e-30)), 0)

    def prepare(self, item: Any) -> str:
        """Check a sequence, see ``check_dna``, and read its protein, see ``reading_frame``."""
        protein = reading_frame(check_dna(item))
        if not len(protein_kmers(protein, self.k, self.groups)):
            raise BadItem(f"no {self.k} amino acids in a row can be read in it")
        return protein

    def embed(self, prepared: Sequence[str]) -> np.ndarray:
        """Weigh words: n proteins to (n, dim) float32."""
        words = (protein_kmers(protein, self.k, self.groups) for protein in prepared)
        counts = np.array([np.bincount(word, minlength=self.dim) for word in words], np.float32)
        return self._weigh(counts)


def load_encoder(name: str) -> Encoder:
    """Load the DNA encoder of that name; none needs weights.

    Args:
        name: ``"dna-6mers"`` (2,080-d), the words of six bases in a gene; ``"protein-4mers"``
            (2,401-d) and ``"protein-4mers-8"`` (4,096-d), the words of four amino acids in the
            protein it stands for.

    Raises:
        HelpfulError: there is no such encoder.
    """
    groups = {"protein-4mers": SEVEN, "protein-4mers-8": EIGHT}
    if name != "dna-6mers" and name not in groups:
        known = ", ".join(["dna-6mers", *groups])
        raise HelpfulError(f"There is no DNA encoder named {name!r}; choose one of {known}.")
    return DnaKmers(name, k=6) if name == "dna-6mers" else ProteinKmers(name, 4, groups[name])
