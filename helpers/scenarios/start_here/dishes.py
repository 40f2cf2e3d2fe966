"""Dishes as sets of ingredients, and such sets as bits: the smallest example of binary vectors."""

import numpy as np

from helpers.errors import HelpfulError

INGREDIENTS = ("tomato", "cheese", "flour", "egg", "rice", "fish", "meat", "onion")
DISHES = {
    "pizza": "tomato, cheese, flour",
    "lasagne": "tomato, cheese, flour, egg, meat",
    "omelette": "egg, cheese",
    "sushi": "rice, fish",
    "risotto": "rice, cheese, onion",
    "paella": "rice, fish, tomato, onion",
    "meatballs": "meat, egg, onion",
    "crackers": "cheese, flour",
}
"""Dish -> what is in it."""


def as_bits(text: str) -> np.ndarray:
    """What of :data:`INGREDIENTS` a text names: int64, (8,), 1 for what it names and 0 otherwise.

    Args:
        text: ingredients with commas or spaces between them, in any order and case.

    Raises:
        HelpfulError: a word of the text is none of them.

    Example:
        >>> as_bits("Cheese, flour")
        array([0, 1, 1, 0, 0, 0, 0, 0])
    """
    words = set(text.lower().replace(",", " ").split())
    if unknown := words.difference(INGREDIENTS):
        raise HelpfulError(
            f"Not in this kitchen: {', '.join(sorted(unknown))}. Choose from "
            f"{', '.join(INGREDIENTS)}."
        )
    return np.isin(INGREDIENTS, list(words)).astype(np.int64)
