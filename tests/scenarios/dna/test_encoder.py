"""Genes as people give them: both strands alike, the reading frame, words for what is no DNA."""

import random

import numpy as np
import pytest
from Bio.Seq import reverse_complement, translate

from helpers.errors import BadItem
from helpers.ingest import encode_batches
from helpers.scenarios.dna.encoder import FREQUENCY, GeneEncoder, check_dna, reading_frame
from helpers.scenarios.dna.genes import load_genes


class Letters(GeneEncoder):
    """How often each amino acid occurs."""

    name, dim = "letters", len(FREQUENCY)

    def embed(self, proteins):
        return np.array([[protein.count(letter) for letter in FREQUENCY] for protein in proteins])


@pytest.fixture(scope="module")
def genes() -> list[str]:
    return list(load_genes())


def test_a_gene_and_its_reverse_complement_are_one(genes):
    encoder, drawn = Letters(), random.Random(0)
    for gene in genes[::200]:
        start = drawn.randrange(len(gene) - 150)
        for sequence in (gene, gene[start : start + 150]):  # whole, and a piece out of frame
            other = reverse_complement(sequence)
            assert encoder.prepare(sequence) == encoder.prepare(other)
            assert encoder.content(sequence) == encoder.content(other)


def test_case_rna_gaps_and_line_breaks_do_not_matter(genes):
    encoder, gene = Letters(), genes[0]
    rna = gene.lower().replace("t", "u")
    broken = "\n".join([gene[:70], "-- ." + gene[70:90] + "~", "\u00a0" + gene[90:] + "*\r\n"])
    assert check_dna(rna) == check_dna(broken) == gene
    assert encoder.content(rna) == encoder.content(gene)


def test_every_gene_of_the_catalogue_is_read_in_its_frame(genes):
    some = genes[::10]
    assert [reading_frame(gene) for gene in some] == [translate(g, table=11)[:-1] for g in some]


def test_most_pieces_are_read_in_their_frame(genes):
    drawn, right = random.Random(0), []
    for gene in genes[::25]:
        start = drawn.randrange(max(1, len(gene) - 300))
        found = reading_frame(gene[start : start + 300])
        right.append(found[5:25] in translate(gene, table=11))
    assert np.mean(right) > 0.9


def test_a_protein_is_read_from_any_bases():
    drawn = random.Random(0)
    for length in (60, 200, 900):
        for _ in range(100):
            assert len(reading_frame("".join(drawn.choices("ACGT", k=length)))) > length / 30
    assert reading_frame("N" * 60) == "X" * 20


def test_an_amino_acid_that_the_bases_leave_open_is_x():
    # RAY is N or D, SAR is E or Q, HTA is I or L
    gene = "ATG" + "GCTRAYGCTSARGCTHTA" * 12 + "TAA"
    assert set(reading_frame(gene)) == set("MAX")


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (None, "NoneType"),
        (b"ACGT", "bytes"),
        ("", "empty"),
        (" \n- ", "empty"),
        ("MKTLLEFIPQ" * 10, "letters EFILPQ, as a protein has"),
        ("MKTSVRGDHAK" * 10, "% of its letters"),
        ("ACGT" * 10, "too short: 40 bases"),
        ("N" * 100, "0% of its letters"),
        ("1 acgt" * 30, "not DNA: it has '1'"),
        ("ACGTé" * 30, r"not DNA: it has U\+00E9 \(LATIN SMALL LETTER E WITH ACUTE\)"),
        ("ACGT\u0410" * 30, r"U\+0410 \(CYRILLIC CAPITAL LETTER A\)"),
        ("acgt\u00df" * 30, r"U\+00DF"),  # whose capitals are SS, which would be bases
        ("ACGT" * 25_001, "too long: 100,004 bases, and at most 100,000"),
        (">name ACGT" * 30, "not DNA"),
    ],
)
def test_what_is_no_dna_is_refused_in_words(item, words):
    with pytest.raises(BadItem, match=words):
        check_dna(item)
    with pytest.raises(BadItem):
        Letters().prepare(item)


def test_dna_without_four_certain_amino_acids_is_refused():
    with pytest.raises(BadItem, match="4 amino acids"):
        Letters().prepare("ACGNN" * 30)


def test_one_bad_gene_does_not_lose_the_others(genes):
    batches = encode_batches([genes[0], "MKTLLEFIPQ" * 10, genes[1]], Letters())
    assert sum(len(batch.ids) for batch in batches) == 2
    assert "as a protein has" in batches.report()
