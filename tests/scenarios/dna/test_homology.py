"""Relatives: shared words, clusters, splits that keep clusters whole, identity of proteins."""

import random

import numpy as np
import pytest
from Bio.Align import PairwiseAligner

from helpers.scenarios.dna.homology import clusters, hold_out, kmer_jaccard, protein_identity


def test_jaccard_is_common_words_over_all_words():
    words = [np.array([1, 2, 2, 3]), np.array([3, 4]), np.array([9]), np.array([], int)]
    shared = kmer_jaccard(words)
    assert shared.dtype == np.float32
    assert shared[0, 1] == shared[1, 0] == pytest.approx(1 / 4)
    assert shared.diagonal().tolist() == [1, 1, 1, 0]
    assert shared[0, 2] == 0


def test_jaccard_of_nothing():
    assert kmer_jaccard([]).shape == (0, 0)
    assert kmer_jaccard([np.array([], int)]).tolist() == [[0]]


def test_clusters_follow_chains_of_links():
    similarity = np.eye(4)
    similarity[0, 1] = similarity[1, 0] = similarity[1, 2] = similarity[2, 1] = 0.5
    found = clusters(similarity, above=0.4)
    assert found[0] == found[1] == found[2] != found[3]
    assert len(set(clusters(similarity, above=0.5))) == 4  # not above


def test_folds_keep_groups_whole_and_share_labels_out():
    groups = np.repeat(np.arange(40), 3)
    labels = np.where(groups % 2, "a", "b")
    fold = hold_out(labels, groups)
    assert all(len(set(fold[groups == group])) == 1 for group in range(40))
    for label in "ab":
        assert np.bincount(fold[labels == label], minlength=4).tolist() == [15, 15, 15, 15]
    assert (hold_out(labels, groups) == fold).all()


def test_identity_is_counted_on_the_shorter_protein():
    protein = "MKTAYIAKQRQISFVKSHFSRQ"
    assert protein_identity(protein, protein) == 100
    assert protein_identity(protein, "GGGG" + protein[:11]) == pytest.approx(100 * 11 / 15)
    changed = protein[:10] + "W" + protein[11:]
    assert protein_identity(changed, protein) == pytest.approx(100 * 21 / 22)
    assert protein_identity(protein, changed) == protein_identity(changed, protein)


def test_identity_of_nothing_alike():
    assert protein_identity("", "MKT") == 0
    assert protein_identity("WWWW", "PPPP") == 0


def test_identity_of_proteins_that_can_be_aligned_in_countless_ways():
    drawn = random.Random(0)
    one, other = ("".join(drawn.choices("WP", k=length)) for length in (1500, 1400))
    with pytest.raises(OverflowError):
        len(PairwiseAligner(scoring="blastp", mode="local").align(one, other))
    assert 50 < protein_identity(one, other) < 100
