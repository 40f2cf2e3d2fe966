"""Recommenders without a network, to compare with, and how good recommendations are.

Films and users are row numbers. A history is an int array of films, oldest first.
"""

import math
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn.decomposition import TruncatedSVD

from helpers.measure import top_k
from helpers.scenarios.recommender.movielens import Histories

_CHUNK = 512  # users ranked at once, so that memory stays flat


def popularity(histories: Histories, films: int) -> np.ndarray:
    """How often each film was rated: float64, (films,)."""
    return np.bincount(np.concatenate([*histories, []]).astype(int), minlength=films).astype(float)


def interactions(histories: Histories, films: int, half_life: float = math.inf) -> sp.csr_matrix:
    """Who rated what, as a sparse matrix: float32, (users, films).

    Args:
        histories: one per user.
        films: how many films there are.
        half_life: after how many later ratings a film counts half; without it all count 1.
    """
    lengths = [len(one) for one in histories]
    rows = np.repeat(np.arange(len(histories)), lengths)
    columns = np.concatenate([*histories, []]).astype(int)
    later = np.concatenate([*(np.arange(n)[::-1] for n in lengths), []])
    weights = np.float32(0.5 ** (later / half_life))
    return sp.csr_matrix((weights, (rows, columns)), shape=(len(histories), films))


def svd_scores(train: sp.csr_matrix, users: sp.csr_matrix, dim: int = 64) -> np.ndarray:
    """Scores of all films for users by a truncated SVD of who rated what ("PureSVD").

    Source: Cremonesi, Koren and Turrin, Performance of Recommender Algorithms on Top-N
    Recommendation Tasks, RecSys 2010.

    Args:
        train: (any, films), from ``interactions``; the dimensions are found from these.
        users: (users, films), what the users to recommend to have seen.
        dim: how many dimensions are kept.

    Returns:
        float32, (users, films), larger is better.
    """
    svd = TruncatedSVD(dim, random_state=0).fit(train)
    return (svd.transform(users) @ svd.components_).astype(np.float32)


def ease(matrix: sp.csr_matrix, penalty: float = 300) -> np.ndarray:
    """EASE: the linear model that best tells each film of a user from the user's others.

    Source: Steck, Embarrassingly Shallow Autoencoders for Sparse Data, WWW 2019.

    Args:
        matrix: (users, films) of 0 and 1, from ``interactions``.
        penalty: its L2 penalty, lambda in the paper.

    Returns:
        Weights, float32, (films, films) with zeros on the diagonal. The scores for users are
        ``matrix @ weights``.
    """
    gram = (matrix.T @ matrix).toarray().astype(np.float64)
    gram[np.diag_indices_from(gram)] += penalty
    inverse = np.linalg.inv(gram)
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return weights.astype(np.float32)


def follow_counts(histories: Histories, films: int, reach: int = 5) -> np.ndarray:
    """How often one film was rated soon after another.

    Args:
        histories: one per user.
        films: how many films there are.
        reach: how many places later still count; the n-th place counts 1 / n.

    Returns:
        float32, (films, films): a row for the earlier film, a column for the later one.
    """
    counts = sp.csr_matrix((films, films), dtype=np.float32)
    for step in range(1, reach + 1):
        before = np.concatenate([*(one[:-step] for one in histories), []]).astype(int)
        after = np.concatenate([*(one[step:] for one in histories), []]).astype(int)
        share = np.full(len(before), 1 / step, np.float32)
        counts = counts + sp.csr_matrix((share, (before, after)), shape=(films, films))
    return counts.toarray()


def top_films(scores: np.ndarray, seen: Histories, k: int = 50) -> np.ndarray:
    """The k best films of each user that are not in the user's history: int64, (users, k).

    Args:
        scores: (users, films); one row will do for all users.
        seen: what to leave out, one history per user.
        k: how many; there must be as many that a user has not seen.
    """
    scores, found = np.broadcast_to(scores, (len(seen), scores.shape[1])), []
    for start in range(0, len(seen), _CHUNK):
        chunk = scores[start : start + _CHUNK].copy()
        for row, films in zip(chunk, seen[start:], strict=False):
            row[films] = -np.inf
        found.append(top_k(chunk, k))
    return np.concatenate(found)


class Quality(NamedTuple):
    """How good recommendations are, each from 0 to 1.

    Attributes:
        hr10: HR@10, the share of users whose film is among the first 10 recommended.
        ndcg10: NDCG@10: 1 for a film at place 1, 1 / log2(1 + place) to place 10, then 0; the mean.
        hr50: HR@50.
        coverage: the share of all films that are among anybody's first 10.
        popular: the share of all first 10 that are among the most popular tenth of the films.
    """

    hr10: float
    ndcg10: float
    hr50: float
    coverage: float
    popular: float


def quality(found: np.ndarray, wanted: np.ndarray, counts: np.ndarray) -> Quality:
    """Measure recommendations against the one film that each user rated next.

    Args:
        found: (users, 50) films, best first.
        wanted: (users,) the film that each rated next.
        counts: (films,) how often each film was rated, from ``popularity``.

    Raises:
        ValueError: there are not 50 films for each user, or not one wanted.
    """
    if found.shape != (len(wanted), 50):
        raise ValueError(f"{found.shape} films for {len(wanted)} users, not 50 for each")
    hits = found == wanted[:, None]
    gains = 1 / np.log2(np.arange(10) + 2)
    popular = np.argsort(-counts, kind="stable")[: len(counts) // 10]
    return Quality(
        float(hits[:, :10].any(axis=1).mean()),
        float((hits[:, :10] @ gains).mean()),
        float(hits.any(axis=1).mean()),
        len(np.unique(found[:, :10])) / len(counts),
        float(np.isin(found[:, :10], popular).mean()),
    )


def hit_rate(scores: np.ndarray, wanted: np.ndarray, among: np.ndarray, k: int = 10) -> float:
    """The share of rows whose wanted film is one of the k best among some films.

    Args:
        scores: (rows, films).
        wanted: (rows,) films, all of them in ``among``.
        among: the films that compete.
        k: how many places count. A film that shares its score with others stands before them.
    """
    right = scores[np.arange(len(wanted)), wanted]
    better = (scores[:, among] > right[:, None]).sum(axis=1)
    return float((better < k).mean())


def margin(share: float, users: int) -> float:
    """Half the width of the 95 % confidence interval of a share among so many users.

    Source: the normal approximation of the binomial distribution.
    """
    return 1.96 * float(np.sqrt(share * (1 - share) / users))
