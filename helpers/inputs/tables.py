"""A reader's own texts and tables, as people save them, with every mistake named by its line."""

import csv
import gzip
import io
import re
import unicodedata
import zlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from helpers.errors import HelpfulError
from helpers.paths import DATA

_DELIMITERS = ",;\t|"
_MOST = 500_000_000  # bytes of a text after unpacking, and characters of a field of a table
# The marks at the beginning of a text, and else where the zeros lie in its first four bytes.
_WIDE = [
    (re.compile(rb"\xff\xfe\0\0|\0\0\xfe\xff"), "utf-32"),
    (re.compile(rb"\xff\xfe|\xfe\xff"), "utf-16"),
    (re.compile(rb"[^\0]\0[^\0]\0"), "utf-16-le"),
    (re.compile(rb"\0[^\0]\0[^\0]"), "utf-16-be"),
]
_BAD_LETTER = re.compile("[\0\udc80-\udcff]")  # NUL, and bytes that are not UTF-8


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


def read_text(content: bytes, name: str, errors: str = "replace") -> str:
    """The text of a file: in UTF-8, with or without a mark, in UTF-16 or UTF-32, or gzipped.

    Args:
        content: the file's bytes.
        name: its name, for the messages.
        errors: what becomes of bytes that are not UTF-8, as in ``bytes.decode``.

    Raises:
        HelpfulError: it is a zip or a spreadsheet, a damaged gzip, or larger than 500 MB.
    """
    if content.startswith(b"\x1f\x8b"):
        try:
            with gzip.open(io.BytesIO(content)) as file:
                content = file.read(_MOST + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise HelpfulError(
                f"{name} cannot be unpacked ({error}); compress it again, or give it as it is."
            ) from None
    if content.startswith(b"PK\x03\x04"):
        raise HelpfulError(f"{name} is a zip or a spreadsheet; unpack it, or save it as a text.")
    if len(content) > _MOST:
        raise HelpfulError(f"{name} has more than {_MOST // 1_000_000} MB of text; split it.")
    wide = [encoding for mark, encoding in _WIDE if mark.match(content)]
    return content.decode(wide[0], "replace") if wide else content.decode("utf-8-sig", errors)


def odd_letter(text: str) -> str:
    """The first character that is no printable ASCII, by its Unicode name; empty without one.

    Letters of other alphabets look like ours, and some characters cannot be seen at all.
    """
    odd = next((letter for letter in text if not (letter.isascii() and letter.isprintable())), "")
    return odd and f"U+{ord(odd):04X} ({unicodedata.name(odd, 'a control character')})"


def read_table(content: bytes, name: str, columns: Sequence[str]) -> list[Row]:
    """The rows of a CSV file, empty lines left out.

    Args:
        content: the file's bytes, see ``read_text``. Comma, semicolon, tab or bar part the fields:
            the first of them by which the header has all columns.
        name: the file's name, for the messages.
        columns: the columns there must be, in lower case; others may be there, too.

    Returns:
        Rows in their order. Fields that a row lacks at its end are empty; a row with too many, or
        that cannot be read, has a ``problem``.

    Raises:
        HelpfulError: the file is empty, lacks a column or has one twice, or cannot be unpacked.
    """
    text = read_text(content, name, errors="surrogateescape")
    lines = list(io.StringIO(text, newline=""))  # ended by CR, LF or both
    tables = [_records(lines, delimiter) for delimiter in _DELIMITERS]
    headers = [[field.strip().lower() for field in next(table, (0, [], ""))[1]] for table in tables]
    header, records = max(
        zip(headers, tables, strict=True), key=lambda found: len({*columns} & {*found[0]})
    )
    if missing := [column for column in columns if column not in header]:
        found = f"has no column {' and no column '.join(missing)}" if text.strip() else "is empty"
        raise HelpfulError(f"{name} {found}; begin it with the line {','.join(columns)}.")
    if twice := [column for column in columns if header.count(column) > 1]:
        raise HelpfulError(f"{name} has the column {twice[0]} twice; give one another name.")
    return [_row(*record, header) for record in records]


def own_table(name: str) -> list[dict[str, str]]:
    """The rows of one of the tables in ``data`` that were written for this project."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def _records(lines: Sequence[str], delimiter: str) -> Iterator[tuple[int, list[str], str]]:
    """The line each record begins in, its fields, and what is wrong with it; no empty ones."""
    csv.field_size_limit(_MOST)
    at = 0

    def rest() -> Iterator[str]:
        nonlocal at
        while at < len(lines):
            at += 1
            yield lines[at - 1]

    while at < len(lines):
        begins = at
        reader = csv.reader(rest(), delimiter=delimiter, strict=True, skipinitialspace=True)
        try:
            for fields in reader:
                said = begins == 0 and lines[0].startswith("sep=")  # by Excel, before the header
                if any(map(str.strip, fields)) and not said:
                    yield begins + 1, fields, ""
                begins = at
        except csv.Error as error:
            problem = f"a quotation mark inside a text, or without its partner ({error})"
            yield begins + 1, [], problem
            at = begins + 1  # it may have swallowed other rows: read on in the next line


def _row(line: int, fields: list[str], problem: str, header: list[str]) -> Row:
    values = [field.strip() for field in fields]
    while len(values) > len(header) and not values[-1]:
        values.pop()
    if len(values) > len(header):
        hint = "put quotation marks around text with commas"
        problem = f"{len(values)} fields instead of {len(header)}: {hint}"
    elif bad := _BAD_LETTER.search("".join(values)):
        code = ord(bad[0]) & 0xFF
        problem = f"the byte 0x{code:02x}, which no text in UTF-8 has there; save it again as UTF-8"
    elif ",".join(values).lower() == ",".join(header):
        problem = "the header again"
    if problem:
        return Row(line, {}, problem)
    return Row(line, dict(zip(header, values + [""] * len(header), strict=False)))
