"""Tables as people save them: single rows between good ones, and whole files."""

import codecs
import gzip
from collections.abc import Sequence
from pathlib import Path

from helpers.errors import BadItem
from helpers.inputs.tables import read_table
from helpers.scenarios.molecules.molecules import load_molecules
from tests.hostile.form import Case, LeftOut, Read, Refused

HEADER = b"name,value"


def rows(items: Sequence[bytes], folder: Path) -> list:
    """Each item is a row; what it holds, found by the line it begins in."""
    begins, line = [], 2
    for item in items:
        begins.append(line)
        line += item.count(b"\n") + 1
    found = {row.line: row for row in read_table(b"\n".join([HEADER, *items]), "mine.csv", NAMES)}
    assert set(found) <= set(begins), "a row that nobody has written"
    results = []
    for begin in begins:
        row = found[begin]
        results.append(LeftOut(row.problem) if row.problem else tuple(row.values.values()))
    return results


def file(items: Sequence[bytes], folder: Path) -> list:
    """Each item is a whole file; the values of its rows."""
    tables = [read_table(item, "mine.csv", NAMES) for item in items]
    if problems := [row.problem for table in tables for row in table if row.problem]:
        raise BadItem(problems[0])
    return [[(row.values["name"], row.values["value"]) for row in table] for table in tables]


def molecules(items: Sequence[bytes], folder: Path) -> list:
    """Each item is a file of molecules."""
    results = []
    for number, item in enumerate(items):
        path = folder / f"{number}.csv"
        path.write_bytes(item)
        results.append(sorted(load_molecules(path, 1_000, 0)[0]))
    return results


NAMES = ["name", "value"]
GOOD = [lambda folder: b"one,1", lambda folder: b'"two, too","2"']
READERS = {"rows": rows, "file": file, "molecules": molecules}


def _row(name: str, content: bytes | str, verdict: Read | LeftOut) -> Case:
    content = content.encode() if isinstance(content, str) else content
    return Case(name, lambda folder: content, verdict, readers=("rows",))


def _file(name: str, content: bytes | str, verdict: Read | Refused, reader: str = "file") -> Case:
    content = content.encode() if isinstance(content, str) else content
    return Case(name, lambda folder: content, verdict, alone=True, readers=(reader,))


def _is(*expected: object) -> Read:
    return Read(lambda found: tuple(found) == expected)


TEXT = "name,value\né,1\n中,2\n"
WHOLE = _is(("é", "1"), ("中", "2"))
MOLECULES = _is("CC", "CCO")
CASES = [
    _row("blanks", b"  x  ,\t3 ", _is("x", "3")),
    _row("no-break space", "\u00a0x\u00a0,3", _is("x", "3")),
    _row("trailing separator", b"x,3,", _is("x", "3")),
    _row("many trailing separators", b"x,3,,, ,", _is("x", "3")),
    _row("CR at its end", b"x,3\r", _is("x", "3")),
    _row("quotes", b'"x ""y"" z","3"', _is('x "y" z', "3")),
    _row("blank before a quote", b'x, "3,5"', _is("x", "3,5")),
    _row("line end in quotes", b'"x\ny",3', _is("x\ny", "3")),
    _row("quote inside", b'12" long,3', _is('12" long', "3")),
    _row("emoji and Arabic", "🙂 سلام,3", _is("🙂 سلام", "3")),
    _row("formula", b"=1+1,@x", _is("=1+1", "@x")),
    _row("huge field", b"x" * 3_000_000 + b",3", _is("x" * 3_000_000, "3")),
    _row("line separator of Unicode", "x\u2028y,3", _is("x\u2028y", "3")),
    _row("too few fields", b"x", _is("x", "")),
    _row("too many fields", b"x,3,4", LeftOut("3 fields instead of 2")),
    _row("decimal comma without quotes", b"x,3,5", LeftOut("3 fields instead of 2")),
    _row("quote not closed", b'"x,3', LeftOut("without its partner")),
    _row("last quote not closed", b'x,"3', LeftOut("without its partner")),
    _row("letters after a quote", b'"x"y,3', LeftOut("a quotation mark inside a text")),
    _row("Windows-1252", "Zoë,3".encode("cp1252"), LeftOut("the byte 0xeb")),
    _row("Shift JIS", "東京,3".encode("shift-jis"), LeftOut("no text in UTF-8")),
    _row("NUL", b"x\0y,3", LeftOut("the byte 0x00")),
    _row("cut inside a letter", "é".encode()[:1] + b",3", LeftOut("the byte 0xc3")),
    _row("a surrogate", b"\xed\xa0\x80,3", LeftOut("the byte 0xed")),
    _row("header again", b"Name, VALUE", LeftOut("the header again")),
    _file("UTF-8", TEXT, WHOLE),
    _file("UTF-8 with a mark", codecs.BOM_UTF8 + TEXT.encode(), WHOLE),
    _file("UTF-16", TEXT.encode("utf-16"), WHOLE),
    _file("UTF-16 big-endian", codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), WHOLE),
    _file("UTF-16 without a mark", TEXT.encode("utf-16-le"), WHOLE),
    _file("UTF-32", TEXT.encode("utf-32"), WHOLE),
    _file("gzip", gzip.compress(TEXT.encode()), WHOLE),
    _file("CR", TEXT.replace("\n", "\r"), WHOLE),
    _file("CRLF", TEXT.replace("\n", "\r\n"), WHOLE),
    _file("empty lines", TEXT.replace("\n", "\n\n , \n"), WHOLE),
    _file("no last line end", TEXT.strip(), WHOLE),
    _file("semicolons", TEXT.replace(",", ";"), WHOLE),
    _file("tabs", TEXT.replace(",", "\t"), WHOLE),
    _file("bars", TEXT.replace(",", "|"), WHOLE),
    _file("decimal commas", "name;value\nx;3,5\n", _is(("x", "3,5"))),
    _file("separator named by Excel", "sep=;\nname;value\nx;3\n", _is(("x", "3"))),
    _file("header in capitals and quotes", '" NAME ","Value",\nx,3,\n', _is(("x", "3"))),
    _file("columns the other way round", "value,other,name\n3,,x\n", _is(("x", "3"))),
    _file("commas in names of columns", "name;value;a, b, c\nx;3;\n", _is(("x", "3"))),
    _file("only a header", "name,value\n", _is()),
    _file("empty", "", Refused("is empty; begin it with the line name,value")),
    _file("only blanks", " \n\t\r\n", Refused("is empty")),
    _file("no header", "x,3\ny,4\n", Refused("has no column name and no column value")),
    _file("a column missing", "name,other\nx,3\n", Refused("has no column value")),
    _file("a column twice", "name,value,Name\nx,3,y\n", Refused("has the column name twice")),
    _file("spreadsheet", b"PK\x03\x04" + bytes(30), Refused("is a zip or a spreadsheet")),
    _file("gzip cut short", gzip.compress(TEXT.encode())[:-9], Refused("cannot be unpacked")),
    _file("picture", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", Refused("has no column name")),
    _file("molecules", "smiles\nCCO\nCC\n", MOLECULES, "molecules"),
    _file(
        "molecules and bad rows",
        "name;SMILES\nx;CCO\ny\nx;y;CC\nz;CC\nn;\n",
        MOLECULES,
        "molecules",
    ),
    _file("molecules twice", "smiles,n\nCCO,1\nCC,2\nCCO,3\n", MOLECULES, "molecules"),
    _file("no molecule", "smiles,name\n,x\n", Refused("has no molecules"), "molecules"),
    _file("no column of molecules", "CCO\nCC\n", Refused("no column smiles"), "molecules"),
]
