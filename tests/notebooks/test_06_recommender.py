"""What notebook 06 defines, on odd inputs: the split, both networks, EASE and the reasons."""

import numpy as np
import pandas as pd
import pytest
import torch

from tests.notebooks.subject import subject

FILMS, DIM, LENGTH = 8, 4, 5
PADDING, PAUSE = FILMS, FILMS + 1
GIVEN = {
    "films": pd.DataFrame({"name": [f"Film {n}" for n in range(FILMS)]}),
    "words": torch.arange(FILMS)[:, None] % 3,
    "years": torch.arange(FILMS),
    "genres": torch.eye(FILMS)[:, :3],
    "people": torch.zeros((3, 3), dtype=torch.int64),
} | {"DIM": DIM, "LENGTH": LENGTH, "PADDING": PADDING, "PAUSE": PAUSE, "BREAK": 60}


@pytest.fixture
def notebook():
    torch.manual_seed(0)
    return subject("06_recommender", **GIVEN)


def histories(*rows):
    return [np.array(row, int) for row in rows]


@pytest.fixture
def towers(notebook):
    """Towers that saw everything but film 7."""
    return notebook["new_towers"](histories([0, 1, 2, 3], [4, PAUSE, 5, 6], [0, 2, 6])).eval()


def encode(notebook, towers, *rows):
    return notebook["encode_users"](towers, histories(*rows), GIVEN["people"][: len(rows)])


def test_what_is_asked_is_of_its_time_and_kind(notebook):
    times = [0, 10, 500, 510, 520, 600]  # user 0 comes back twice
    order = pd.DataFrame({"user": [0] * 6 + [1], "time": [*times, 505], "place": [*range(6), 0]})
    order["film"] = [0, 1, 2, 3, PAUSE, 4, 5]
    order["gap"] = order.groupby("user")["time"].diff()
    notebook |= {"order": order, "everything": histories([0, 1, 2, 3, PAUSE, 4], [5])}
    asked = notebook["ask"](10, 600, most=10)
    assert asked["film"].tolist() == [1, 2, 3]  # neither the first, a pause, nor one at the end
    assert asked["kind"].tolist() == ["in a sitting", "after a break", "in a sitting"]
    assert [one.tolist() for one in notebook["histories_of"](asked)] == [[0], [0, 1], [0, 1, 2]]
    assert len(notebook["ask"](0, 601, most=1)) == 2  # one of each kind


def test_follow_counts_know_the_direction_fade_and_know_pauses(notebook):
    counts = notebook["follow_counts"](histories([0, 1, PAUSE, 2], [0, 1], []), reach=2)
    assert counts.shape == (FILMS + 2, FILMS)
    assert counts[[0, 1, PAUSE], :3].tolist() == [[0, 2, 0], [0, 0, 0.5], [0, 0, 1]]
    assert counts.sum() == 3.5


def test_the_head_start_tells_what_follows_and_knows_nothing_of_padding(notebook):
    counts = notebook["follow_counts"](histories(*[[0, 1, 2, PAUSE, 4, 5, 6, 7]] * 5), reach=1)
    follows, own = notebook["head_start"](counts, dim=FILMS)
    found = (follows @ own.T).argmax(dim=1)
    assert found[[0, 1, PAUSE, 4, 5, 6]].tolist() == [1, 2, 4, 5, 6, 7]
    assert follows[PADDING].abs().max() < 1e-5


def test_popularity_knows_films_that_nobody_rated(notebook):
    found = notebook["popularity"](histories([0, 2, PAUSE], [2], []))
    assert found.tolist() == [1, 0, 2, 0, 0, 0, 0, 0]


def test_a_vector_of_a_person_knows_nothing_of_later_films(notebook, towers):
    films, person = towers.film(towers.known), GIVEN["people"][:1]
    one, other = (
        towers.user(torch.tensor([row]), person, films, towers.known)[0]
        for row in ([PADDING, 0, 1, 2, 3], [PADDING, 0, 1, 2, 6])
    )
    assert torch.allclose(one[:-1], other[:-1]) and not torch.allclose(one[-1], other[-1])


def test_people_are_encoded_by_their_latest_films_and_alone_as_together(notebook, towers):
    rows = [0, 1, 2, 3, 4, 5, 6], [2, 3, 4, 5, 6], [], [4, PAUSE]
    found = notebook["encode_users"](
        towers, histories(*rows), torch.zeros((4, 3), dtype=torch.int64)
    )
    assert np.allclose(found[0], found[1])
    assert np.allclose(encode(notebook, towers, rows[3]), found[3:], atol=1e-6)
    assert np.allclose(np.linalg.norm(found[[0, 3]], axis=1), 1, atol=1e-5)
    assert np.isfinite(found).all()


def test_a_new_film_has_a_vector_that_its_own_numbers_do_not_change(notebook, towers):
    before = towers.film(towers.known)
    with torch.no_grad():
        towers.film.own += 1
    after = towers.film(towers.known)
    assert towers.known.ravel().tolist() == [1] * 7 + [0]
    assert torch.equal(before[7], after[7]) and not torch.allclose(before[6], after[6])


def test_kept_towers_are_the_same_again(notebook, towers, tmp_path):
    torch.save(towers.state_dict(), tmp_path / "towers.pt")
    again = notebook["Towers"](
        torch.zeros(FILMS), torch.zeros(FILMS + 2, DIM), torch.zeros(FILMS, DIM)
    )
    again.load_state_dict(torch.load(tmp_path / "towers.pt"))
    assert np.array_equal(encode(notebook, towers, [0, 1, 6]), encode(notebook, again, [0, 1, 6]))
    assert again.known.ravel().tolist() == [1] * 7 + [0]  # what nobody rated stays unknown


def test_the_sampled_loss_is_small_where_the_right_film_is_nearest(notebook):
    films, often = torch.eye(FILMS), torch.full((FILMS,), 1 / FILMS)
    wanted = torch.arange(FILMS)
    right, wrong = (
        notebook["sampled_softmax"](vectors, wanted, films, often).item()
        for vectors in (films, films.roll(1, dims=0))
    )
    assert right < 0.01 < 5 < wrong


def test_what_is_learnt_is_no_padding_and_no_pause(notebook):
    table = torch.tensor([[PADDING, 0, PAUSE, 1], [2, 3, 4, 5]])
    found = notebook["places_to_learn"](table)
    assert found.tolist() == [[False, False, True], [True, True, True]]


def test_both_losses_fall_in_training(notebook, towers):
    rows = histories(*[[0, 1, 2, 3, 4]] * 30)
    notebook["people"] = torch.zeros((30, 3), dtype=torch.int64)
    sasrec = notebook["SASRec"](*notebook["head_start"](notebook["follow_counts"](rows), dim=4))
    for model, loss in ((towers, "loss_of_towers"), (sasrec, "full_softmax")):
        losses = list(notebook["train"](model, notebook[loss], rows, epochs=30, rate=0.05))
        assert len(losses) == 30 and losses[-1][-1] < losses[0][0]


def test_sasrec_sees_neither_later_films_nor_padding(notebook):
    follows = torch.randn(FILMS + 2, DIM)
    sasrec = notebook["SASRec"](follows, follows[:FILMS]).eval()
    found = sasrec(torch.tensor([[0, 1, 2], [0, 1, 6]]))
    assert torch.allclose(found[0, :2], found[1, :2], atol=1e-5)
    assert not torch.allclose(found[0, 2], found[1, 2])
    padded = sasrec(torch.tensor([[PADDING, PADDING, 0, 1, 2]]))
    assert torch.allclose(padded[0, 2:], found[0], atol=1e-5)


def test_quality_counts_places_among_what_was_not_seen(notebook):
    notebook["everything"] = histories([0, 1, 2], [3, PAUSE, 4])
    asked = pd.DataFrame({"user": [0, 0, 1], "place": [1, 2, 2], "film": [1, 2, 4]})
    asked["kind"] = ["in a sitting", "in a sitting", "after a break"]
    scores = np.tile(np.arange(FILMS, 0, -1, dtype=np.float32), (3, 1))
    found = notebook["quality"](scores, asked)
    assert found.index.tolist() == [("after a break", 1), ("in a sitting", 0)]
    assert found["NDCG@10"].tolist() == pytest.approx([1 / np.log2(5), 1])  # places 4, 1 and 1
    equal = notebook["quality"](np.zeros((3, FILMS), np.float32), asked)
    assert equal["NDCG@10"].max() < 0.4  # who scores all alike is given the last place


def test_interactions_halve_with_each_half_life_and_leave_out_pauses(notebook):
    rows = histories([3, 0, PAUSE, 1], [])
    found = notebook["interactions"](rows, half_life=1).toarray()[:, :4]
    assert found.tolist() == [[0.5, 1, 0, 0.25], [0, 0, 0, 0]]
    assert notebook["interactions"](rows).toarray()[:, :4].tolist() == [[1, 1, 0, 1], [0] * 4]


def test_ease_solves_its_problem(notebook):
    """Each column is the ridge regression of a film on the others, solved one by one."""
    rows = histories(*([n for n in range(4) if n != i % 4] for i in range(9)), [4, 5, 6, 7])
    matrix = notebook["interactions"](rows)
    weights, dense = notebook["ease"](matrix, penalty=3), matrix.toarray()
    others = [film for film in range(FILMS) if film != 2]
    gram = dense[:, others].T @ dense[:, others] + 3 * np.eye(FILMS - 1)
    expected = np.linalg.solve(gram, dense[:, others].T @ dense[:, 2])
    assert np.allclose(weights[others, 2], expected, atol=1e-5)
    assert not np.diag(weights).any()


def test_a_reason_is_the_film_without_which_the_score_falls_most(notebook, towers):
    notebook |= {"towers": towers, "film_vectors": towers.film(towers.known).detach().numpy()}
    history, person, found = np.array([0, PAUSE, 1, 2]), GIVEN["people"][:1], [3, 5]
    reasons = notebook["reasons"](history, person, found)
    for (film, fall), wanted in zip(reasons, found, strict=True):
        falls = {}
        for one in (0, 1, 2):
            rows = history, history[history != one]
            with_it, without = encode(notebook, towers, rows[0]), encode(notebook, towers, rows[1])
            falls[one] = ((with_it - without)[0] @ notebook["film_vectors"][wanted]).item()
        assert film == max(falls, key=falls.get) and fall == pytest.approx(falls[film], abs=1e-5)
    for nothing in ([], [PAUSE]):
        assert notebook["reasons"](np.array(nothing, int), person, found) == []
