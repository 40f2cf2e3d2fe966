"""A reader's own texts: files of a folder, and what people type into a search."""

import codecs
import contextlib
import gzip
import io
import os
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path

import numpy as np

from helpers.encoders import load_encoder
from helpers.encoders.base import Encoder
from helpers.scenarios.news.articles import load_own
from tests.hostile.form import Case, LeftOut, Read, each


def files(items: Sequence[Path], folder: Path) -> list:
    """Each item is a file of one folder; the text that is stored of it, in one piece."""
    with contextlib.redirect_stdout(io.StringIO()) as said:
        own = load_own(folder)
    left_out = {name: LeftOut(reason) for name, reason in own.left_out}
    texts: dict[str, str] = {}
    for article in own.articles:
        assert len(article.text.encode()) <= 65_535 and article.title
        texts[article.link] = texts.get(article.link, "") + article.text
    assert all(line.isprintable() for line in said.getvalue().splitlines())
    read = texts | left_out
    return [read.get(item.name) or read[ascii(item.name)[1:-1]] for item in items]


def typed(name: str, item: str | Path) -> np.ndarray:
    """The vector of what somebody typed; of a file its text, as far as it is one."""
    text = item.read_text("utf-8", errors="replace") if isinstance(item, Path) else item
    vector = load(name).encode([text])[0]
    assert np.isclose(np.linalg.norm(vector), 1, atol=1e-4)
    return vector


@cache
def load(name: str) -> Encoder:
    return load_encoder(name)


GOOD = [
    lambda folder: _write(folder, "badger.txt", b"The badger digs."),
    lambda folder: _write(folder, "otter.txt", b"The otter swims."),
]
READERS = {
    "files": files,
    "minilm": each(partial(typed, "minilm")),
    "use-multilingual": each(partial(typed, "use-multilingual")),
}
SEARCH = ("minilm", "use-multilingual")


def _write(folder: Path, name: str | bytes, content: bytes) -> Path:
    path = Path(os.fsdecode(os.path.join(os.fsencode(folder), os.fsencode(name))))
    path.write_bytes(content)
    return path


def _file(name: str, content: bytes | str, verdict: Read | LeftOut, file: str | bytes = "x.txt"):
    content = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    return Case(name, lambda folder: _write(folder, file, content), verdict, readers=("files",))


def _typed(name: str, text: str, verdict: Read | LeftOut, readers: tuple[str, ...] = SEARCH):
    return Case(f"typed: {name}", lambda folder: text, verdict, readers=readers)


def _is(text: str) -> Read:
    return Read(lambda value: value == text)


def _like(text: str) -> Read:
    """Nothing but what the text itself is read as, by the encoder that read it."""

    def is_right(vector: np.ndarray) -> bool:
        (name,) = [name for name in SEARCH if load(name).dim == len(vector)]
        return vector @ typed(name, text) > 0.999

    return Read(is_right)


def _link(folder: Path) -> Path:
    (folder / "x.txt").symlink_to(_write(folder, "y.md", b"behind a link"))
    return folder / "x.txt"


TEXT, NONE = "Zoë's café – 中文 🙂", LeftOut("no text")
CASES = [
    _file("UTF-8", TEXT, _is(TEXT)),
    _file("UTF-8 with a mark", codecs.BOM_UTF8 + TEXT.encode(), _is(TEXT)),
    _file("UTF-16", TEXT.encode("utf-16"), _is(TEXT)),
    _file("UTF-16 big-endian", codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), _is(TEXT)),
    _file("UTF-32", TEXT.encode("utf-32"), _is(TEXT)),
    _file("gzip", gzip.compress(TEXT.encode()), _is(TEXT)),
    _file("Windows-1252", "Zoë – “café”".encode("cp1252"), LeftOut("not in UTF-8")),
    _file("Latin-1", "Zoë".encode("latin-1"), LeftOut("not in UTF-8")),
    _file("GBK", "中文搜索".encode("gbk"), LeftOut("not in UTF-8")),
    _file("a wrong encoding, saved again", "ZoÃ«", _is("ZoÃ«")),
    _file("CR", "one\rtwo\r", _is("one two")),
    _file("CRLF", "one\r\ntwo\r\n", _is("one two")),
    _file(
        "other line ends",
        "one\u2028two\u2029three\x0bfour\x0cfive\x85six",
        _is("one two three four five six"),
    ),
    _file("NFD", "Zoe\u0308 cafe\u0301", _is("Zoë café")),
    _file("NUL and controls", "a\0b\x07c\x1b[31md", _is("a b c [31md")),
    _file("without width", "co\u00adoper\u200bate\ufeff", _is("cooperate")),
    _file("a joiner of letters", "می\u200cخواهم", _is("می\u200cخواهم")),
    _file("no-break spaces", "10\u00a0000\u202fkm", _is("10 000 km")),
    _file("half a character", "half \ud83d here", LeftOut("not in UTF-8")),
    _file("empty", "", NONE),
    _file("only whitespace", " \t\r\n\u3000\u00a0", NONE),
    _file("only punctuation", "?! ... –", NONE),
    _file("only emoji", "🙂🙂", NONE),
    _file("only zeros", bytes(100), NONE),
    _file("Arabic", "مرحبا بالعالم", _is("مرحبا بالعالم")),
    _file("HTML and formulas", "<p>a &amp; $x_1$ \\alpha</p>", _is("<p>a &amp; $x_1$ \\alpha</p>")),
    _file("5 MB in a line", "word" * 1_250_000, _is("word" * 1_250_000)),
    _file("much Chinese in a line", "字" * 100_000, _is("字" * 100_000)),
    _file("a picture", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", LeftOut("not in UTF-8")),
    _file("a zip named so", b"PK\x03\x04" + bytes(50), LeftOut("zip or a spreadsheet")),
    _file("a broken gzip", gzip.compress(b"text")[:-9], LeftOut("cannot be unpacked")),
    _file("a name in another encoding", "text", _is("text"), b"Zo\xeb.txt"),
    _file("a name with a line end", "text", _is("text"), "a\nb.txt"),
    _file("a name of emoji", "text", _is("text"), "🙂.txt"),
    _file("a name in capitals", "text", _is("text"), "X.TXT"),
    _file("a long name", "text", _is("text"), "x" * 250 + ".txt"),
    Case("a link", _link, _is("behind a link"), readers=("files",)),
    _typed("accents in two characters", "cafe\u0301 Zoe\u0308", _like("café Zoë")),
    _typed("NUL", "a badger\0digs", _like("a badger digs")),
    _typed("controls and blanks", "\x07 a\tbadger \u00a0digs\n", _like("a badger digs")),
    _typed("without width", "a bad\u200bger\ufeff digs", _like("a badger digs")),
    _typed("half a character", "half \ud83d here", LeftOut("half a character")),
    _typed("nothing", "", LeftOut("an empty text")),
    _typed("only whitespace", " \u3000\n", LeftOut("an empty text")),
    _typed("only zero-width", "\u200b\u200d\ufeff", LeftOut("without a letter or digit")),
    _typed("only punctuation", "?!...", LeftOut("without a letter or digit")),
    _typed("only emoji", "🙂", LeftOut("without a letter or digit")),
    _typed("a number", "3.14", Read()),
    _typed("Chinese", "中国的历史", Read()),
    _typed("Arabic", "مرحبا بالعالم", Read()),
    _typed("HTML", "<b>bold</b> & $x$", Read()),
    _typed("5 MB", "badger " * 700_000, Read(), ("use-multilingual",)),
    _typed("quotes of a filter", '" or id >= 0 or outlet == "', Read()),
    _typed("a script unknown to it", "ሰላም", LeftOut("knows no word"), ("minilm",)),
    _typed("the same with a known sign", "ሰላም?", LeftOut("knows no word"), ("minilm",)),
]
