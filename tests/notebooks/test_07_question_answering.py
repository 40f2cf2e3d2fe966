"""What notebook 07 defines, on odd inputs: sentences, fused scores and the risk-coverage curve."""

import numpy as np
import pytest

from tests.notebooks.subject import subject


@pytest.fixture(scope="module")
def notebook():
    return subject("07_question_answering", encoder=None, COLLECTION="questions", THRESHOLD=0.7)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("It cost 3.5 million. 7 won.", ["It cost 3.5 million.", "7 won."]),
        ("e.g. this stays. so does this", ["e.g. this stays. so does this"]),
        ('He said. "Go!  Now." Wide', ["He said.", '"Go!', 'Now." Wide']),
        ("一句话。没有空格", ["一句话。没有空格"]),
        ("", [""]),
    ],
)
def test_sentences_are_cut_and_know_where_they_begin(notebook, text, sentences):
    cut = notebook["cut"](text)
    assert [sentence for _, sentence in cut] == sentences
    assert all(text[start:].startswith(sentence) for start, sentence in cut)


def test_ranks_are_fused_as_the_paper_says(notebook):
    one, other = np.array([[3.0, 2.0, 1.0]]), np.array([[1.0, 3.0, 2.0]])
    fused = notebook["reciprocal_ranks"](one) + notebook["reciprocal_ranks"](other)
    assert fused[0] == pytest.approx([1 / 61 + 1 / 63, 1 / 62 + 1 / 61, 1 / 63 + 1 / 62])


def test_bm25_of_three_texts(notebook):
    words = notebook["CountVectorizer"](token_pattern=r"\w+")
    points = notebook["bm25_index"](words, ["A a b", "b", "b c"]).toarray()
    assert words.get_feature_names_out().tolist() == ["a", "b", "c"]
    rare, common = np.log(1 + 2.5 / 1.5), np.log(1 + 0.5 / 3.5)  # in one text, in all three
    twice_in_a_long_text = rare * 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 3 / 2))
    once_in_a_short_text = common * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 1 / 2))
    assert points[0, 0] == pytest.approx(twice_in_a_long_text)
    assert points[1].tolist() == pytest.approx([0, once_in_a_short_text, 0])


def test_risk_and_coverage_of_four_answers(notebook):
    confidence = np.array([0.9, 0.2, 0.8, 0.5])
    correct = np.array([True, False, False, True])
    thresholds, coverage, share_right = notebook["risk_coverage"](confidence, correct)
    assert thresholds.tolist() == [0.9, 0.8, 0.5, 0.2]
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1]
    assert share_right == pytest.approx([1, 1 / 2, 2 / 3, 1 / 2])


@pytest.mark.parametrize(("share", "threshold"), [(1, 0.9), (0.6, 0.5), (0.5, 0.2)])
def test_the_lowest_threshold_that_keeps_the_promise(notebook, share, threshold):
    confidence = np.array([0.9, 0.2, 0.8, 0.5])
    correct = np.array([True, False, False, True])
    assert notebook["lowest_threshold"](confidence, correct, share) == threshold


def test_without_any_right_answer_nothing_is_answered(notebook):
    assert notebook["lowest_threshold"](np.array([0.9, 0.8]), np.zeros(2, bool), 0.5) == np.inf


@pytest.mark.parametrize(("depth", "missing"), [(2, 2.0), (50, 0)])
def test_scores_are_added_and_only_a_full_list_hides_points(notebook, depth, missing):
    notebook |= {
        "WORD_WEIGHT": 0.1,
        "by_meaning": lambda texts, depth: [{7: (0.9, 70), 8: (0.5, 80)}],
        "by_words": lambda texts, depth: [{8: 10.0, 9: 2.0}],
    }
    (found,) = notebook["retrieve"](["?"], depth)
    assert found == [
        (pytest.approx(0.5 + 1.0), 8, 80),
        (pytest.approx(0.9 + 0.1 * missing), 7, 70),
        (pytest.approx(0.5 + 0.2), 9, None),
    ]


def test_a_question_without_known_words_is_answered_by_meaning_alone(notebook):
    notebook |= {
        "by_meaning": lambda texts, depth: [{7: (0.9, 70), 8: (0.5, 80)}],
        "by_words": lambda texts, depth: [{}],
    }
    assert [number for _, number, _ in notebook["retrieve"](["?"])[0]] == [7, 8]
