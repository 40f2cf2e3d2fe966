"""What notebook 08 defines: words of genes and proteins, related genes, votes and alignments."""

import random

import numpy as np
import pytest
from Bio.Align import PairwiseAligner
from Bio.Seq import reverse_complement

from helpers.errors import BadItem
from helpers.scenarios.dna.encoder import FREQUENCY
from helpers.scenarios.dna.genes import load_genes
from tests.notebooks.subject import subject

LETTERS = tuple(FREQUENCY)


@pytest.fixture(scope="module")
def notebook():
    return subject("08_dna_classification")


@pytest.fixture(scope="module")
def genes():
    return list(load_genes())


def test_words_are_numbers_and_those_with_an_unknown_letter_are_left_out(notebook):
    words_of = notebook["words_of"]
    assert words_of("AACG", "ACGT", 3).tolist() == [1, 6]
    assert len(words_of("ACGTNACGT", "ACGT", 3)) == 4
    assert words_of("LVIMC", notebook["GROUPS"], 4).tolist() == [0, 0]
    assert len(set(words_of("LVIMC", LETTERS, 1))) == 5
    for short in ("", "AC", "NNN"):
        assert not len(words_of(short, "ACGT", 3))


def test_all_amino_acids_are_in_one_group(notebook):
    assert sorted("".join(notebook["GROUPS"])) == sorted(LETTERS)


@pytest.mark.parametrize(("k", "words"), [(1, 2), (2, 10), (3, 32), (6, 2080)])
def test_a_canonical_word_is_that_of_both_strands(notebook, k, words):
    every = np.arange(4**k)
    assert len(set(notebook["canonical"](every, k))) == words
    drawn = "".join(random.Random(k).choices("ACGT", k=200))
    strands = [
        notebook["canonical"](notebook["words_of"](strand, "ACGT", k), k)
        for strand in (drawn, reverse_complement(drawn))
    ]
    assert sorted(strands[0]) == sorted(strands[1])


def test_rare_words_weigh_more_and_absent_ones_nothing(notebook):
    common, rare = (
        notebook["words_of"](word, notebook["GROUPS"], 4)[0] for word in ("LLLL", "PPPP")
    )
    counts = np.zeros((1, 2401))
    counts[0, [common, rare]] = 1
    (row,) = notebook["surprise"](counts)
    assert row[rare] > 2 * row[common] > 0
    assert np.count_nonzero(row) == 2
    counts[0, common] = 500  # in so long a protein a rare word says less
    assert notebook["surprise"](counts)[0, rare] < row[rare]


def test_vectors_have_length_1_and_both_strands_the_same(notebook, genes):
    encoder = notebook["ProteinWords"]()
    vectors = encoder.encode(genes[:70])
    assert vectors.shape == (70, 2401)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert (encoder.encode([reverse_complement(genes[0])]) == vectors[0]).all()
    uncertain = encoder.encode([genes[0][:300] + "N" + genes[0][301:]])
    assert 0.95 < vectors[0] @ uncertain[0] < 1
    with pytest.raises(BadItem, match="4 amino acids"):
        encoder.encode(["ACGNN" * 30])


def test_dna_vectors_of_odd_sequences(notebook):
    assert np.linalg.norm(notebook["dna_vector"]("ACGT" * 20)) == pytest.approx(1)
    assert not notebook["dna_vector"]("N" * 80).any()


def test_jaccard_is_common_words_over_all_words(notebook):
    words = [np.array([1, 2, 2, 3]), np.array([3, 4]), np.array([9]), np.array([], int)]
    shared = notebook["jaccard"](words)
    assert shared[0, 1] == shared[1, 0] == pytest.approx(1 / 4)
    assert shared.diagonal().tolist() == [1, 1, 1, 0]
    assert shared[0, 2] == 0


def test_clusters_follow_chains_of_links(notebook):
    similarity = np.eye(4)
    similarity[0, 1] = similarity[1, 0] = similarity[1, 2] = similarity[2, 1] = 0.5
    found = notebook["clusters"](similarity, above=0.4)
    assert found[0] == found[1] == found[2] != found[3]
    assert len(set(notebook["clusters"](similarity, above=0.5))) == 4  # not above


def test_folds_keep_groups_whole_and_share_families_out(notebook):
    groups = np.repeat(np.arange(40), 3)
    families = np.where(groups % 2, "a", "b")
    fold = notebook["hold_out"](families, groups)
    assert all(len(set(fold[groups == group])) == 1 for group in range(40))
    for family in "ab":
        assert np.bincount(fold[families == family], minlength=4).tolist() == [15, 15, 15, 15]
    assert (notebook["hold_out"](families, groups) == fold).all()


def test_a_close_relative_outvotes_a_crowd(notebook):
    assert notebook["vote"](["a", "b", "b", "b"], [0.9, 0.5, 0.5, 0.5])[0] == "a"
    assert notebook["vote"](["a", "b", "b"], [0.5, 0.5, 0.5]) == ("b", pytest.approx(2 / 3))
    assert notebook["vote"](["a", "b"], [0, -0.1])[0] == "a"
    assert notebook["vote"](np.array(["a"]), np.array([20_000], np.int32)) == ("a", 1)


def test_scores_are_those_of_blast(notebook, genes):
    blast = PairwiseAligner(scoring="blastp", mode="local")
    drawn = random.Random(0)
    proteins = [notebook["reading_frame"](gene) for gene in drawn.sample(genes, 12)]
    for protein in proteins[:3]:
        scores = [hit.score for hit in notebook["align"](protein, proteins)]
        assert scores == [blast.score(protein, other) for other in proteins]


def test_identity_is_counted_in_the_alignment_gaps_included(notebook):
    measure, protein = notebook["identity_and_aligned"], "MKTAYIAKQRQISFVKSHFSRQ"
    assert measure(protein, protein) == (100, 100)
    assert measure(protein, "GGGG" + protein[:11]) == (100, 50)
    assert measure(protein[:10] + "W" + protein[11:], protein) == (95, 100)  # 21 of 22
    long = protein * 4
    assert measure(long, long[:40] + long[45:]) == (94, 100)  # 83 of 88, with a gap of five
    assert measure("WWWW", "PPPP") == (0, 0)
    assert measure("X" * 20, "MKT") == (0, 0)


def test_the_best_aligned_candidates_vote(notebook):
    notebook["labels"] = np.array(["a", "b", "b", "c"])
    rerank, rows = notebook["rerank"], np.array([3, 0, 1, 2])
    assert rerank(rows, np.array([10, 100, 95, 95]), 1) == "a"
    assert rerank(rows, np.array([10, 100, 95, 95]), 3) == "b"


def test_a_setting_is_chosen_without_the_test_fold_and_without_the_own(notebook):
    part = np.array([0, 1, 2, 3])
    notebook |= {"asked": np.arange(4), "labels": np.array(["a", "b", "b", "a"])}
    notebook["scores"] = np.array([[99, 1, 1, 1], [99, 99, 9, 1], [9, 9, 99, 99], [9, 1, 9, 99]])
    inside = notebook["accuracy_inside"](part, 0, notebook["scores"], part >= 0, sizes=[1, 2])
    # 1 sees 2 and 3 and takes 2; 2 sees 1 and 3 and takes 3; 3 sees 1 and 2: two of b.
    assert inside == {(1, 1): 1 / 3, (1, 5): 1 / 3, (2, 1): 1 / 3, (2, 5): 1 / 3}
    among = notebook["accuracy_inside"](part, 3, notebook["scores"], part != 0, sizes=[1])
    assert among[1, 1] == 2 / 3  # 1 and 2 can only take each other, and are of one family
