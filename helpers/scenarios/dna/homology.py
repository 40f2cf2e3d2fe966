"""Which genes are related: shared words, clusters of relatives, and splits that keep them apart."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from Bio.Align import PairwiseAligner
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import StratifiedGroupKFold


def kmer_jaccard(words: Sequence[np.ndarray]) -> np.ndarray:
    """The share of words that two sequences have in common: Jaccard's index of their word sets.

    The words both hold, divided by the words either holds; Ondov et al. (Mash), Genome Biology 17
    (2016), 132, relate it to the rate of mutations.

    Args:
        words: for each of n sequences the numbers of its words, as ``dna_kmers`` gives them.

    Returns:
        float32, (n, n), from 0 to 1; 0 where neither has any word.
    """
    sets = [np.unique(row) for row in words]
    ends = np.cumsum([0, *map(len, sets)])
    _, columns = np.unique(np.concatenate([*sets, np.empty(0, int)]), return_inverse=True)
    shape = (len(sets), max(columns, default=0) + 1)
    held = csr_matrix((np.ones(len(columns), np.float32), columns, ends), shape=shape)
    common = (held @ held.T).toarray()
    size = np.diff(ends).astype(np.float32)
    return common / np.maximum(size[:, None] + size - common, 1)


def clusters(similarity: np.ndarray, above: float) -> np.ndarray:
    """Number the groups that a chain of similarities larger than ``above`` connects.

    Args:
        similarity: (n, n), symmetric.
        above: two sequences are linked if they are more similar than this.

    Returns:
        int, (n,): for each sequence the number of its cluster.
    """
    return connected_components(csr_matrix(similarity > above), directed=False)[1]


def hold_out(labels: Sequence[str], groups: Sequence[int], folds: int = 4) -> np.ndarray:
    """Share groups out over folds, so that none is in two and each has its part of every label.

    Args:
        labels: n labels.
        groups: n group numbers, such as those of ``clusters``; all different, every sequence is
            a group of its own.
        folds: how many.

    Returns:
        int, (n,): the fold of each, from 0; the same in every run.
    """
    split = StratifiedGroupKFold(folds, shuffle=True, random_state=0)
    fold = np.empty(len(labels), int)
    for number, (_, members) in enumerate(split.split(labels, labels, groups)):
        fold[members] = number
    return fold


def protein_identity(one: str, other: str) -> float:
    """How alike two proteins are, in percent: equal letters in their best local alignment.

    The alignment is that of BLAST's defaults: BLOSUM62, 11 to open a gap and 1 more per letter.

    Args:
        one, other: amino acids as letters.

    Returns:
        Equal letters divided by the length of the shorter protein, from 0 to 100.
    """
    shorter = min(len(one), len(other))
    if not shorter:
        return 0.0
    best = next(iter(_blast_aligner().align(one, other)), None)  # there can be more than 2**63
    return 100 * best.counts().identities / shorter if best is not None else 0.0


@cache
def _blast_aligner() -> PairwiseAligner:
    return PairwiseAligner(scoring="blastp", mode="local")
