"""Days: how they are shown; what is read and refused stands in ``tests/hostile/dates.py``."""

import pytest

from helpers.scenarios.news.dates import parse_date, show_date


def test_show_date():
    assert show_date(20170207) == "2017-02-07"
    assert show_date(9990101) == "0999-01-01"
    assert show_date(0) == "no date"


def test_a_day_that_may_be_two_is_not_guessed():
    with pytest.raises(ValueError, match="'07/02/2017' may be two days; write it as in 2017-02-07"):
        parse_date("07/02/2017")
