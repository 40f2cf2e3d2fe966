"""What notebook 09 defines, on odd inputs: passages, BM25, merged rankings and nDCG."""

import math
from itertools import pairwise

import numpy as np
import pytest

from helpers.ingest import content_id
from helpers.measure import rank_quality
from helpers.scenarios.news.articles import Article
from tests.notebooks.subject import subject


@pytest.fixture(scope="module")
def notebook():
    given = {"encoder": None, "COLLECTION": "news", "DEPTH": 5, "PASSAGE_WORDS": 10, "PASSAGES": 2}
    return subject("09_text_search", **given)


@pytest.mark.parametrize(
    ("text", "passages"),
    [
        ("", []),
        (" \n", []),
        ("One two.", ["One two."]),
        ("a b c d e f g. h i j k", ["a b c d e f g.", "h i j k"]),
        ("a b. c d e f g h i j k", ["a b. c d e f g h i j", "k"]),
        ("字" * 650, ["字" * 300, "字" * 300, "字" * 50]),
    ],
)
def test_passages_end_with_a_sentence_where_one_ends_late(notebook, text, passages):
    assert notebook["cut"](text) == passages


def test_no_word_is_lost_and_no_passage_too_long(notebook):
    text = " ".join(f"word{n}{'.' * (n % 7 == 0)}" for n in range(200))
    passages = notebook["cut"](text)
    assert " ".join(passages).split() == text.split()
    assert all(1 <= len(passage.split()) <= 10 for passage in passages)


def test_texts_with_the_same_passages_are_rows_of_their_own(notebook):
    opening = " ".join(f"word{n}" for n in range(30))
    vector_of = dict.fromkeys(notebook["cut"](opening), np.ones(3))
    articles = [Article("T", f"{opening} {last}") for last in ("alpaca", "badger")]
    rows = [row for article in articles for row in notebook["rows_of"](article, vector_of)]
    assert [row["article"] for row in rows] == [content_id(a.text) for a in articles for _ in "12"]
    assert len({row["id"] for row in rows}) == len(rows) == 4
    assert notebook["rows_of"](articles[0], {}) == []


def test_bm25_grows_with_the_count_up_to_a_bound_and_falls_with_the_length(notebook):
    points = [notebook["bm25"](count, 500, 10, 1_000, 500) for count in (1, 2, 3, 4, 1e9)]
    assert all(one < other for one, other in pairwise(points))
    rarity = math.log(1 + 990.5 / 10.5)
    assert points[0] == pytest.approx(rarity)
    assert points[-1] == pytest.approx(2.2 * rarity)
    assert notebook["bm25"](1, 1_000, 10, 1_000, 500) < points[0]
    assert notebook["bm25"](1, 1_000, 10, 1_000, 500, b=0) == pytest.approx(points[0])


def test_places_are_merged_as_the_paper_says(notebook):
    merged = notebook["merge_places"]({"a": 9.0, "b": 1.0}, {"b": 0.9, "c": 0.8})
    assert list(merged) == ["b", "a", "c"]
    assert merged == pytest.approx({"b": 1 / 62 + 1 / 61, "a": 1 / 61, "c": 1 / 62})


def test_scores_are_added(notebook):
    words, meaning = {"a": 10.0, "b": 2.0}, {"c": 0.9, "b": 0.5}
    # Fewer than DEPTH have a word of the query: the others have none, so no points.
    merged = notebook["merge_scores"](words, meaning, 0.1)
    assert list(merged) == ["a", "c", "b"]
    assert merged == pytest.approx({"a": 1.5, "c": 0.9, "b": 0.7})
    assert notebook["merge_scores"]({}, {"c": 0.9}, 0.1) == {"c": 0.9}
    assert notebook["merge_scores"]({}, {}) == {}


def test_what_a_full_list_leaves_out_counts_as_its_last(notebook):
    words = {str(place): 10.0 - place for place in range(notebook["DEPTH"])}
    merged = notebook["merge_scores"](words, {"c": 0.9}, 0.1)
    assert merged["c"] == pytest.approx(0.9 + 0.1 * min(words.values()))


def test_the_one_article_with_a_rare_word_comes_first(notebook):
    merged = notebook["merge_scores"]({"rare": 8.0}, {"near": 0.3, "far": 0.2}, 0.02)
    assert list(merged) == ["rare", "near", "far"]


def test_ndcg_is_that_of_trec_eval_where_there_is_one_grade(notebook):
    found, relevant = list("abcdefghij"), {"b", "d", "x"}
    ours = notebook["ndcg"](found, dict.fromkeys(relevant, 1))
    assert ours == pytest.approx(rank_quality([found], [relevant], ["nDCG@10"])["nDCG@10"][0])


def test_ndcg_prefers_what_answers_to_what_is_related(notebook):
    judged = {"a": 2, "b": 1}
    assert notebook["ndcg"](["a", "b"], judged) == 1
    assert notebook["ndcg"](["b", "a"], judged) == pytest.approx(
        (1 + 3 / math.log2(3)) / (3 + 1 / math.log2(3))
    )
    assert notebook["ndcg"]([], judged) == 0
