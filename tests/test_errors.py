"""What readers see of an error: one line, whatever names stand in it."""

import pytest

from helpers.errors import BadItem, HelpfulError, printable


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("照片 $5_é 👩\u200d🚀 שלום.png", "照片 $5_é 👩\u200d🚀 שלום.png"),
        ("two\nlines\t\x1b[31m", "two\\nlines\\t\\x1b[31m"),
        ("photo\u202egnp.exe", "photo\\u202egnp.exe"),
        ("caf\udce9.jpg", "caf\\udce9.jpg"),
    ],
)
def test_names_in_messages(name, shown):
    assert printable(name) == shown
    for kind in (HelpfulError, BadItem):
        assert str(kind(f"{name} is odd.")) == f"{shown} is odd."
    assert HelpfulError(name)._render_traceback_() == [f"HelpfulError: {shown}"]
