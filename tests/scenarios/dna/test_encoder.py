"""Genes as vectors: both strands alike, uncertain bases, and words for what is no DNA."""

import random

import numpy as np
import pytest
from Bio.Seq import reverse_complement, translate

from helpers.errors import BadItem, HelpfulError
from helpers.ingest import encode_batches
from helpers.scenarios.dna.encoder import (
    AMINO_ACIDS,
    EIGHT,
    SEVEN,
    DnaKmers,
    ProteinKmers,
    check_dna,
    dna_kmers,
    load_encoder,
    protein_kmers,
    reading_frame,
)
from helpers.scenarios.dna.genes import load_genes

NAMES = {"dna-6mers": 2080, "protein-4mers": 2401, "protein-4mers-8": 4096}


@pytest.fixture(scope="module")
def genes() -> list[str]:
    return list(load_genes())


@pytest.mark.parametrize(("name", "dim"), NAMES.items())
def test_vectors_are_float32_of_unit_length(name, dim, genes):
    encoder = load_encoder(name)
    vectors = encoder.encode(genes[:70])
    assert vectors.shape == (70, dim) == (70, encoder.dim)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert encoder.encode([]).shape == (0, dim)


@pytest.mark.parametrize("name", NAMES)
def test_a_gene_and_its_reverse_complement_are_one(name, genes):
    encoder, drawn = load_encoder(name), random.Random(0)
    for gene in genes[::200]:
        start = drawn.randrange(len(gene) - 150)
        for sequence in (gene, gene[start : start + 150]):  # whole, and a piece out of frame
            other = reverse_complement(sequence)
            assert (encoder.encode([sequence]) == encoder.encode([other])).all()
            assert encoder.content(sequence) == encoder.content(other)


@pytest.mark.parametrize("name", NAMES)
def test_case_rna_gaps_and_line_breaks_do_not_matter(name, genes):
    encoder, gene = load_encoder(name), genes[0]
    rna = gene.lower().replace("t", "u")
    broken = "\n".join([gene[:70], "-- ." + gene[70:90] + "~", "\u00a0" + gene[90:] + "*\r\n"])
    vectors = encoder.encode([gene, rna, broken])
    assert (vectors == vectors[0]).all()
    assert encoder.content(rna) == encoder.content(gene)


def test_canonical_words_are_counted_right():
    # AAC GTT ACG CGT: AAC = GTT and ACG = CGT on the other strand
    assert dna_kmers("AACG", 3).tolist() == [1, 6]
    assert dna_kmers("CGTT", 3).tolist() == [6, 1]
    assert dna_kmers("CGTT", 3, canonical=False).tolist() == [27, 47]
    counted = DnaKmers(k=2).embed(["AAAATT"])
    assert counted.sum() == 5
    assert sorted(counted[counted > 0]) == [1, 4]  # AA = TT four times, AT once


@pytest.mark.parametrize(("k", "words"), [(1, 2), (2, 10), (3, 32), (4, 136), (6, 2080)])
def test_number_of_canonical_words(k, words):
    assert DnaKmers(k=k).dim == words


def test_words_with_an_uncertain_letter_are_left_out():
    assert len(dna_kmers("ACGTNACGT", 3)) == 4
    assert len(dna_kmers("ACGTRYACGT", 3)) == 4
    assert not len(dna_kmers("AC", 3))
    assert not len(dna_kmers("", 3))
    assert protein_kmers("ACXDE", 2).tolist() == [1, 43]


def test_an_uncertain_base_changes_a_vector_little(genes):
    gene = genes[0]
    for name in NAMES:
        vectors = load_encoder(name).encode([gene, gene[:300] + "N" + gene[301:]])
        assert 0.95 < vectors[0] @ vectors[1] < 1


def test_amino_acids_of_a_group_are_one_letter():
    assert sorted("".join(SEVEN)) == sorted("".join(EIGHT)) == sorted(AMINO_ACIDS)
    assert (protein_kmers("LVIMC", 4, SEVEN) == protein_kmers("CCCCC", 4, SEVEN)).all()
    assert len(set(protein_kmers("LVIMC", 1))) == 5


def test_rare_words_weigh_more():
    encoder = ProteinKmers(groups=AMINO_ACIDS, k=2)
    row = encoder.embed(["LLWW"])[0]
    common, rare = protein_kmers("LL", 2)[0], protein_kmers("WW", 2)[0]
    assert row[rare] > 2 * row[common] > 0
    assert np.count_nonzero(row) == 3  # LL, LW, WW


@pytest.mark.parametrize(("weigh", "largest"), [("count", 3), ("presence", 1)])
def test_other_weights(weigh, largest):
    assert ProteinKmers(k=1, weigh=weigh, groups=AMINO_ACIDS).embed(["LLLW"]).max() == largest


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
    for name in NAMES:
        with pytest.raises(BadItem):
            load_encoder(name).prepare(item)


def test_dna_without_one_certain_word_is_refused():
    patchy = "ACGNN" * 30
    with pytest.raises(BadItem, match="6 bases in a row"):
        load_encoder("dna-6mers").prepare(patchy)
    with pytest.raises(BadItem, match="4 amino acids"):
        load_encoder("protein-4mers").prepare(patchy)


def test_one_bad_gene_does_not_lose_the_others(genes):
    batches = encode_batches([genes[0], "MKTLLEFIPQ" * 10, genes[1]], load_encoder("protein-4mers"))
    assert sum(len(batch.ids) for batch in batches) == 2
    assert "as a protein has" in batches.report()


def test_unknown_name():
    with pytest.raises(HelpfulError, match="no DNA encoder named 'x'"):
        load_encoder("x")
