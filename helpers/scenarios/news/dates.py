"""Days, in the forms that people and programs write them in."""

import re
import unicodedata
from datetime import date

_MONTHS = ["january", "february", "march", "april", "may", "june", "july"]
_MONTHS += ["august", "september", "october", "november", "december"]
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s)?"
_FORMS = [
    re.compile(_WEEKDAY + form + r"(?=$|[t\s,;(日])", re.IGNORECASE)  # a time may follow
    for form in (
        r"(?P<year>\d{4})\s?[-/.年]\s?(?P<month>\d\d?)\s?[-/.月]\s?(?P<day>\d\d?)",
        r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)",
        r"(?P<day>\d\d?)\.\s?(?P<month>\d\d?)\.\s?(?P<year>\d{4})",
        r"(?P<day>\d\d?)(?:st|nd|rd|th|\.)?[\s-](?:of\s)?(?P<month>[a-z]{3,})[.,]?[\s-](?P<year>\d{4})",
        r"(?P<month>[a-z]{3,})\.?\s(?P<day>\d\d?)(?:st|nd|rd|th)?,?\s(?P<year>\d{4})",
        r"(?P<month>[a-z]{3,})\s\s?(?P<day>\d\d?)\s[\d:]+(?:\s[+\w]+)?\s(?P<year>\d{4})",
        r"(?P<month>\d\d?)[/-](?P<day>\d\d?)[/-](?P<year>\d{4})",
    )
]
_EITHER = _FORMS[-1]  # Americans write the month first, others the day
_NONE = {"", "-", "n/a", "nan", "nat", "none", "null"}  # as programs write that there is no value


def parse_date(text: str) -> int:
    """A day as a number that can be compared: ``"2017/2/7"`` is 20170207, no day 0.

    The day is taken as it is written, whatever time and zone follow it.

    Raises:
        ValueError: the text is no day, or one that may be two: ``"07/02/2017"``.
    """
    text = unicodedata.normalize("NFKC", text).strip()
    if text.lower() in _NONE:
        return 0
    for form in _FORMS:
        if found := form.match(text):
            break
    else:
        raise ValueError(f"no date such as 2017-02-07 but {text[:20]!r}")
    year, day = int(found["year"]), int(found["day"])
    month = int(found["month"]) if found["month"].isdigit() else _month(found["month"])
    if form is _EITHER and month > 12:
        month, day = day, month
    elif form is _EITHER and day <= 12 and day != month:
        raise ValueError(f"{text[:20]!r} may be two days; write it as in 2017-02-07")
    try:
        date(year, month, day)
    except ValueError:
        raise ValueError(f"no date such as 2017-02-07 but {text[:20]!r}") from None
    return year * 10_000 + month * 100 + day


def _month(name: str) -> int:
    """The number of a month by the beginning of its English name; 0 if there is none."""
    places = (n for n, month in enumerate(_MONTHS, start=1) if month.startswith(name.lower()))
    return next(places, 0)


def show_date(day: int) -> str:
    """A day to read: ``"2017-02-07"`` for 20170207, ``"no date"`` for 0."""
    text = f"{day:08d}"
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if day else "no date"
