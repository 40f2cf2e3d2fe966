"""A reader's own tables: CSV files as people save them, with every mistake named by its line."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from helpers.errors import HelpfulError
from helpers.paths import DATA

_DELIMITERS = ",;\t"
_LONGEST = 100_000_000  # characters of a field; Python's own limit is 131,072


class Row(NamedTuple):
    """One row of a table.

    Attributes:
        line: the line of the file that it begins in; the header is usually line 1.
        values: column name -> text, without blanks around it; empty if there is a problem.
        problem: why the row cannot be used, in a few words; empty if it can.
    """

    line: int
    values: dict[str, str]
    problem: str = ""


def read_table(content: bytes, name: str, columns: Sequence[str]) -> list[Row]:
    """The rows of a CSV file, empty lines left out.

    Args:
        content: the file's bytes, in UTF-8. Comma, semicolon or tab part the fields, whichever the
            first line has most of.
        name: the file's name, for the messages.
        columns: the columns there must be, in lower case; others may be there, too.

    Returns:
        Rows in their order. Fields that a row lacks at its end are empty; a row with too many has
        a ``problem``.

    Raises:
        HelpfulError: the file is empty, not UTF-8, lacks a column, or has a quotation mark without
            its partner.
    """
    text = _decode(content, name)
    if not text.strip():
        raise HelpfulError(f"{name} is empty; begin it with the line {','.join(columns)}.")
    first = text.lstrip().split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=first.count)
    records = _records(io.StringIO(text, newline=""), delimiter, name)
    _, header = next(records, (0, []))
    header = [column.strip().lower() for column in header]
    if missing := [column for column in columns if column not in header]:
        raise HelpfulError(
            f"{name} has no column {' and no column '.join(missing)}; begin it with the line "
            f"{','.join(columns)}."
        )
    return [_row(line, fields, header) for line, fields in records]


def own_table(name: str) -> list[dict[str, str]]:
    """The rows of one of the tables in ``data`` that were written for this project."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def _decode(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")  # also without the mark that Excel puts in front
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise HelpfulError(
            f"{name} is not UTF-8 (line {line} has the byte 0x{content[error.start]:02x}); save it "
            'again as "CSV UTF-8".'
        ) from None


def _records(file: io.StringIO, delimiter: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Records with the number of the line each begins in; empty lines are passed over."""
    csv.field_size_limit(_LONGEST)
    reader = csv.reader(file, delimiter=delimiter, strict=True, skipinitialspace=True)
    begins = 1
    try:
        for fields in reader:
            if any(field.strip() for field in fields):
                yield begins, fields
            begins = reader.line_num + 1
    except csv.Error as error:
        raise HelpfulError(
            f"{name} is not a CSV from line {begins} on ({error}); look there for a quotation mark "
            'without its partner, and write those inside a text twice: "".'
        ) from None


def _row(line: int, fields: list[str], header: list[str]) -> Row:
    if len(fields) > len(header):
        hint = "put quotation marks around text with commas"
        return Row(line, {}, f"{len(fields)} fields instead of {len(header)}: {hint}")
    values = [field.strip() for field in fields] + [""] * (len(header) - len(fields))
    return Row(line, dict(zip(header, values, strict=True)))
