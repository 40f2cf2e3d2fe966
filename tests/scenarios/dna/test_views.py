"""Pictures of classes are shown, and at the size that a notebook takes."""

import numpy as np
import pandas as pd

from helpers.scenarios.dna.views import show_confusion, show_families, show_shares, show_tests


def test_a_map_of_many_families(shown):
    points = np.random.default_rng(0).normal(size=(300, 2))
    show_families(points, [f"family {i % 17}" for i in range(300)], "t-SNE dimension")
    assert len(shown) == 1
    assert 600 < shown[0].width < 1600


def test_a_confusion_matrix_grows_with_its_families(shown):
    show_confusion(["a", "b", "b"], ["a", "a", "b"], "few")
    many = [f"family {i}" for i in range(17)]
    show_confusion(many, many[::-1], "many")
    assert shown[0].height < shown[1].height < 1600


def test_tests_side_by_side_have_a_panel_per_measure(shown):
    columns = pd.MultiIndex.from_product([["accuracy", "F1"], ["DNA", "protein"]])
    results = pd.DataFrame(np.ones((2, 4)) / 2, index=["naive", "far relatives"], columns=columns)
    show_tests(results, "share")
    assert shown[0].width > 2 * shown[0].height


def test_shares_of_groups(shown):
    show_shares({"known": [0.5, 0.9], "unknown": np.array([0.1])}, 0.3, "similarity")
    assert len(shown) == 1
