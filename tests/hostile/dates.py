"""Days as people and programs write them."""

from helpers.scenarios.news.dates import parse_date
from tests.hostile.form import Case, LeftOut, Read


def parsed(items, folder):
    results = []
    for item in items:
        try:
            results.append(parse_date(item))
        except ValueError as error:
            results.append(LeftOut(str(error)))
    return results


GOOD = [lambda folder: "2017-02-07", lambda folder: "1999-12-31"]
READERS = {"parse_date": parsed}

ONE_DAY = [
    "2017-2-7",
    "2017/02/07",
    "2017.02.07",
    "20170207",
    "2017-02-07T10:11:12Z",
    "2017-02-07T23:59:59.999999+14:00",
    "2017-02-07T10:11:12,5-0800",
    "20170207T101112Z",
    "2017-02-07 10:11",
    "  2017-02-07\n",
    "7 Feb 2017",
    "07-FEB-2017",
    "7th of February, 2017",
    "7. February 2017",
    "Feb. 7, 2017",
    "February 7th 2017",
    "Tue, 07 Feb 2017 10:11:12 GMT",
    "Tuesday, February 7, 2017",
    "Tue Feb  7 10:11:12 2017",
    "Tue Feb 07 10:11:12 +0000 2017",
    "07.02.2017",
    "7. 2. 2017, 10:00",
    "2017年2月7日",
    "２０１７－０２－０７",
    "٢٠١٧-٠٢-٠٧",
    "2017\u00a0-02-07",
]
OTHER_DAYS = {
    "": 0,
    " \t": 0,
    "NaN": 0,
    "None": 0,
    "13/02/2017": 20170213,
    "02-13-2017": 20170213,
    "7/7/2017": 20170707,
    "2016-02-29": 20160229,
    "1969-07-20": 19690720,
    "1066-10-14": 10661014,
    "2150-01-01": 21500101,
    "9999-12-31": 99991231,
}
NONE = [
    "07/02/2017",
    "2017-02-29",
    "2017-13-01",
    "0000-01-01",
    "2017-02",
    "7 Feb",
    "7 feb 17",
    "9 Foo 2017",
    "201702071",
    "1486425600",
    "12017-02-07",
    "-2017-02-07",
    "2017-02-07x",
    "soon",
    "🙂",
    "x" * 100_000,
    "\0",
    "half \ud83d",
]


def _is(day: int) -> Read:
    return Read(lambda value: value == day)


CASES = [
    Case(f"{number} {text[:30]!a}", lambda folder, text=text: text, verdict)
    for number, (text, verdict) in enumerate(
        [
            *((text, _is(20170207)) for text in ONE_DAY),
            *((text, _is(day)) for text, day in OTHER_DAYS.items()),
            *((text, LeftOut("2017-02-07")) for text in NONE),
        ]
    )
]
