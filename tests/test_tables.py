"""CSV files as people save them."""

import pytest

from helpers.errors import HelpfulError
from helpers.tables import Row, read_table


def read(text: str, *columns: str) -> list[Row]:
    return read_table(text.encode(), "mine.csv", columns)


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2\n",
        "\ufeffa,b\r\n1,2\r\n",  # as Excel saves it
        "A; B \n 1 ;2\n",
        "a\tb\n1\t2",
        '"a", "b"\n"1", "2"\n',
    ],
)
def test_what_spreadsheets_write_is_read(text):
    assert read(text, "b", "a") == [Row(2, {"a": "1", "b": "2"})]


def test_rows_are_named_by_the_line_they_begin_in():
    rows = read('a,b\n"one\ntwo",x\n\nthree,"said ""so"", he did"\n', "a")
    assert rows == [
        Row(2, {"a": "one\ntwo", "b": "x"}),
        Row(5, {"a": "three", "b": 'said "so", he did'}),
    ]


def test_fields_too_few_are_empty_and_fields_too_many_a_problem():
    short, long = read("a,b\n1\n1,2,3\n", "a")
    assert short == Row(2, {"a": "1", "b": ""})
    assert long.values == {} and long.problem.startswith("3 fields instead of 2: put quotation")


def test_a_long_field_is_no_problem():
    (row,) = read("a,b\n" + "x" * 200_000 + ",y\n", "a")
    assert len(row.values["a"]) == 200_000


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty; begin it with the line a,b"),
        (b" \n\n", "is empty"),
        (b"c,b\n1,2\n", "has no column a; begin it with the line a,b"),
        ("a,b\n1,\u00e9\n".encode("latin-1"), r"is not UTF-8 \(line 2 has the byte 0xe9\)"),
        (b'a,b\n1,2\n3,"4\n', "is not a CSV from line 3 on"),
    ],
)
def test_a_file_that_cannot_be_used_is_explained(content, said):
    with pytest.raises(HelpfulError, match=f"mine.csv {said}"):
        read_table(content, "mine.csv", ["a", "b"])
