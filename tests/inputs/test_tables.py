"""CSV files as people save them."""

import codecs
import gzip

import pytest

from helpers.errors import HelpfulError
from helpers.inputs import tables
from helpers.inputs.tables import Row, odd_letter, read_table, read_text


def read(text: str, *columns: str) -> list[Row]:
    return read_table(text.encode(), "mine.csv", columns)


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2\n",
        "\ufeffa,b\r\n1,2\r\n",  # as Excel saves it
        "A; B \n 1 ;2\n",
        "a\tb\n1\t2",
        "a|b\n1|2\n",
        '"a", "b"\n"1", "2"\n',
        "a,b\r1,2\r",
        "a,b\n1,2,,\n",
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
        (b"a,b,A\n1,2,3\n", "has the column a twice"),
        (b"PK\x03\x04a,b\n", "is a zip or a spreadsheet"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0)[:-9], "cannot be unpacked"),
    ],
)
def test_a_file_that_cannot_be_used_is_explained(content, said):
    with pytest.raises(HelpfulError, match=f"mine.csv {said}"):
        read_table(content, "mine.csv", ["a", "b"])


def test_the_separator_that_excel_names_first_is_no_header():
    assert read("sep=;\na;b\nsep=,;2\n", "a") == [Row(3, {"a": "sep=,", "b": "2"})]


def test_a_column_after_the_last_separator_has_no_name():
    assert read("a,b,\n1,2,\n", "a") == [Row(2, {"a": "1", "b": "2", "": ""})]


def test_the_separator_is_that_by_which_the_header_has_the_columns():
    assert read("a;b, with a comma, or two\n1;2\n", "a")[0].values["a"] == "1"
    assert read('a\n"x;y,z"\n', "a")[0].values == {"a": "x;y,z"}


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (b"caf\xe9,2", "the byte 0xe9, which no text in UTF-8"),
        (b"x\0,2", "the byte 0x00"),
        (b'"x"y,2', "a quotation mark inside a text"),
        (b'"x,2', "a quotation mark inside a text, or without its partner"),
        (b"1,2,3", "3 fields instead of 2"),
        (b"A,b", "the header again"),
    ],
)
def test_a_bad_row_costs_that_row(bad, said):
    for lines in ([bad, b"1,2", b"3,4"], [b"1,2", bad, b'3,"4"'], [b"1,2", b"3,4", bad]):
        rows = read_table(b"\n".join([b"a,b", *lines]), "mine.csv", ["a"])
        assert [row.values for row in rows if not row.problem] == [
            {"a": "1", "b": "2"},
            {"a": "3", "b": "4"},
        ]
        (left_out,) = [row for row in rows if row.problem]
        assert left_out.problem.startswith(said) and left_out.line == 2 + lines.index(bad)


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", codecs.BOM_UTF8),
        ("utf-16-le", b""),
        ("utf-16-be", b""),
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
        ("utf-32-le", codecs.BOM_UTF32_LE),
    ],
)
def test_texts_in_every_form_of_unicode_and_gzipped(encoding, mark):
    content = mark + "a,b\né,中\n".encode(encoding)
    assert (
        read_text(content, "x") == read_text(gzip.compress(content, mtime=0), "x") == "a,b\né,中\n"
    )


def test_a_text_that_unpacks_to_too_much_is_refused(monkeypatch):
    monkeypatch.setattr(tables, "_MOST", 1_000_000)
    with pytest.raises(HelpfulError, match="x has more than 1 MB of text; split it"):
        read_text(gzip.compress(b"C" * 1_000_001, mtime=0), "x")


def test_odd_letters_are_named():
    assert odd_letter("CCO") == ""
    assert odd_letter("C\u0421O") == "U+0421 (CYRILLIC CAPITAL LETTER ES)"
    assert odd_letter("C\0") == "U+0000 (a control character)"
