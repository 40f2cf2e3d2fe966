"""Zips and tars: broken, made to break out or to blow up, and the odd ones that people have."""

import contextlib
import gzip
import io
import os
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from unittest import mock

from PIL import Image

from helpers.errors import HelpfulError
from helpers.inputs.files import list_files
from helpers.photos import load_photos
from tests.hostile.form import Case, Read, Refused


def photo(colour: str = "red") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(file, "PNG")
    return file.getvalue()


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes], name: str = "photos.zip"):
    def make(folder: Path) -> Path:
        with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, data in members:
                archive.writestr(member, data)
        return folder / name

    return make


def tarred(*members: tuple[str | tarfile.TarInfo, bytes], name: str = "photos.tar.gz"):
    def make(folder: Path) -> Path:
        with tarfile.open(folder / name, "w:gz" if name.endswith("gz") else "w") as archive:
            for member, data in members:
                header = tarfile.TarInfo(member) if isinstance(member, str) else member
                header.size = len(data)
                archive.addfile(header, io.BytesIO(data))
        return folder / name

    return make


def changed(make: Callable[[Path], Path], change: Callable[[bytes], bytes]):
    def make_changed(folder: Path) -> Path:
        path = make(folder)
        path.write_bytes(change(path.read_bytes()))
        return path

    return make_changed


def written(name: str, content: bytes):
    def make(folder: Path) -> Path:
        path = Path(os.fsdecode(os.path.join(os.fsencode(folder), os.fsencode(name))))
        path.write_bytes(content)
        return path

    return make


def special(kind: bytes, target: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo("x.png")
    member.type, member.linkname = kind, target
    return member


def zip_link() -> zipfile.ZipInfo:
    link = zipfile.ZipInfo("link.png")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return link


def foreign(name: str, encoding: str, unicode_path: bool = False):
    """A zip whose names are in a code page, as old programs write them."""
    raw = name.encode(encoding)
    stand_in = ("x" * (len(raw) - 4) + ".png").encode()
    info = zipfile.ZipInfo(stand_in.decode())
    if unicode_path:
        content = b"\1" + struct.pack("<L", zlib.crc32(raw)) + name.encode()
        info.extra = struct.pack("<HH", 0x7075, len(content)) + content
    return changed(zipped((info, photo())), lambda data: data.replace(stand_in, raw))


def encrypted(data: bytes) -> bytes:
    data = bytearray(data)
    data[6] |= 1  # the flags in the local header
    data[data.index(b"PK\1\2") + 8] |= 1  # and in the central one
    return bytes(data)


def fifo(folder: Path) -> Path:
    os.mkfifo(folder / "photos.zip")
    return folder / "photos.zip"


def unpacks(read: Callable[[Path], Sequence[Path]]):
    """The names found, after a look at what is left behind and whether anything got out."""

    def reader(items: Sequence[Path], folder: Path) -> list:
        cache, results = folder.parent / "cache", []
        before = set(folder.parent.rglob("*"))
        said = io.StringIO()
        with mock.patch.dict(os.environ, {"BOOTCAMP_CACHE": str(cache)}):
            for item in items:
                with contextlib.redirect_stdout(said):
                    try:
                        results.append(([path.name for path in read(item)], said.getvalue()))
                    except HelpfulError:
                        files = [path for path in cache.rglob("*") if path.is_file()]
                        assert sum(path.stat().st_size for path in files) == 0, files
                        assert not [*cache.rglob(".unpack-*")]
                        raise
        after = {path for path in folder.parent.rglob("*") if not path.is_relative_to(cache)}
        assert after == before, "something got out"
        return results

    return reader


GOOD = [zipped(("1.png", photo())), tarred(("2.png", photo("blue")))]
READERS = {"list_files": unpacks(list_files), "load_photos": unpacks(load_photos)}


def refused(name: str, make: Callable[[Path], Path], words: str, reader: str = "") -> Case:
    readers = (reader,) if reader else ()
    return Case(name, make, Refused(words), alone=True, readers=readers)


def read(name: str, make: Callable[[Path], Path], *names: str, says: str = "") -> Case:
    def is_right(got: tuple[list[str], str]) -> bool:
        found, said = got
        return found == list(names) and (says in said if says else not said)

    return Case(name, make, Read(is_right), alone=True)


ONE = ("1.png", photo())
NOISE = os.urandom(100_000)
LARGE = ("1.png", NOISE)
GBK = "照片.png".encode("gbk").decode("cp437")  # what a zip's names are taken for


def halved(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flipped(data: bytes) -> bytes:
    return data[:99] + bytes([data[99] ^ 0xFF]) + data[100:]


CASES = [
    # No archives, or broken ones
    refused("empty", written("x.zip", b""), "not a zip or tar"),
    refused("text", written("x.zip", b"Dear diary"), "not a zip or tar"),
    refused("RAR", written("x.rar", b"Rar!\x1a\7\0" + bytes(99)), "not a zip or tar"),
    refused("7z", written("x.7z", b"7z\xbc\xaf\x27\x1c" + bytes(99)), "not a zip or tar"),
    refused("a gzipped text", written("x.gz", gzip.compress(b"hello")), "not a zip or tar"),
    refused("a zip of nothing", zipped(), "no files"),
    refused("a tar of nothing", tarred(), "no files"),
    refused("a zip cut short", changed(zipped(LARGE), halved), "damaged"),
    refused("a tar cut short", changed(tarred(LARGE), halved), "damaged"),
    refused("a zip that is locked", changed(zipped(ONE), encrypted), "encrypted"),
    refused("a flipped byte", changed(zipped(LARGE), flipped), "damaged"),
    refused("a named pipe", fifo, "a pipe"),
    refused("a path that is not there", lambda folder: folder / "nowhere.zip", "No such file"),
    refused("a name with NUL", lambda folder: folder / "a\0b.zip", "There is no file"),
    # Made to break out
    *(
        refused(f"{kind}, {name[:12]!r}, {len(name)} long", make((name, photo())), words)
        for kind, make in (("zip", zipped), ("tar", tarred))
        for name, words in (
            ("../out.png", "leads out"),
            ("a/../../out.png", "leads out"),
            ("/tmp/out.png", "leads out"),
            ("..\\out.png", "leads out"),
            ("C:\\out.png", "leads out"),
            ("a/" * 300 + "f.jpg", "100 folders"),
            ("a/" * 2_000 + "f.jpg", "100 folders"),
            ("n" * 300 + ".png", "could not be unpacked"),
        )
    ),
    refused("a link in a zip", zipped(ONE, (zip_link(), b"/etc/passwd")), "'link.png' is a link"),
    refused("a link in a tar", tarred(ONE, (special(tarfile.SYMTYPE, "/etc"), b"")), "a link"),
    refused("a hard link", tarred(ONE, (special(tarfile.LNKTYPE, "1.png"), b"")), "a link"),
    refused("a device", tarred((special(tarfile.CHRTYPE), b"")), "a device"),
    refused("a pipe in a tar", tarred((special(tarfile.FIFOTYPE), b"")), "a device"),
    refused("one name twice", tarred(ONE, ONE), "twice"),
    refused("a file as a folder", tarred(ONE, ("1.png/2.png", photo())), "twice"),
    # Made to blow up
    refused("a zip bomb", zipped(("1.png", bytes(250_000_000))), "bomb"),
    refused("a tar bomb", tarred(("1.png", bytes(250_000_000))), "bomb"),
    refused("a small one", zipped(("1.png", bytes(20_000_000))), "is a picture", "load_photos"),
    refused("nothing wanted", zipped(("1.txt", bytes(20_000_000))), "holds no file of the kinds"),
    # Odd ones that people have
    read("under another name", zipped(ONE, name="photos.tar.gz"), "1.png"),
    read("hidden by its name", zipped(ONE, name=".photos.zip"), "1.png"),
    read("a name that is no UTF-8", zipped(ONE, name="caf\udce9.zip"), "1.png"),
    read("backslashes", zipped(("a\\1.png", photo())), "1.png"),
    read("junk of a Mac", zipped(ONE, ("__MACOSX/._1.png", b"junk"), (".DS_Store", b"")), "1.png"),
    read("a zip in a zip", zipped(ONE, ("2.zip", b"PK")), "1.png", says="1 .zip"),
    read("names in UTF-8 that do not say so", foreign("照片.png", "utf-8"), "照片.png"),
    read("a Unicode Path", foreign("写真.png", "shift-jis", unicode_path=True), "写真.png"),
    read("names in GBK", foreign("照片.png", "gbk"), GBK, says="unknown encoding"),
    read("names of DOS", foreign("café.png", "cp850"), "café.png", says="unknown encoding"),
    read("a Latin name in a tar", tarred(("caf\udce9.png", photo())), "caf\udce9.png"),
    read("a name with a line end", tarred(("two\nlines.png", photo())), "two\nlines.png"),
]  # fmt: skip
