"""Dishes as bits."""

import pytest

from helpers.errors import HelpfulError
from helpers.scenarios.start_here.dishes import DISHES, INGREDIENTS, as_bits


def test_a_text_becomes_bits_in_any_order_and_case():
    assert as_bits("flour,Tomato  cheese").tolist() == [1, 1, 1, 0, 0, 0, 0, 0]
    assert as_bits(" ").sum() == 0


def test_every_dish_can_be_written_as_bits_and_no_two_are_equal():
    written = {name: tuple(as_bits(text)) for name, text in DISHES.items()}
    assert len(set(written.values())) == len(DISHES)
    for name, text in DISHES.items():
        assert sum(written[name]) == len(text.split(", "))


def test_an_unknown_ingredient_is_named_with_those_that_are_known():
    with pytest.raises(HelpfulError, match=r"kitchen: salt, soap\. Choose from tomato,") as caught:
        as_bits("soap, egg, salt")
    assert all(known in str(caught.value) for known in INGREDIENTS)
