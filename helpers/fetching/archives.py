"""Unpack zip and tar archives from anywhere without trusting what they say about themselves."""

import hashlib
import os
import re
import shutil
import stat
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from filelock import FileLock

from helpers.errors import HelpfulError, printable
from helpers.paths import cache_dir

_DEEPEST = 100  # folders in folders; Python cannot list or remove a thousand
_LONGEST_HEADER = 1 << 20  # bytes, of a tar
# An archive that unpacks to more bytes than both is a bomb: photos and tables hardly shrink so far.
_HARMLESS, _TIMES = 100_000_000, 100


class ArchiveError(HelpfulError):
    """An archive that could not be unpacked, or that is not safe to unpack."""


def unpack(
    archive: Path | str,
    destination: Path | str,
    max_bytes: int = 4_000_000_000,
    max_files: int = 200_000,
) -> Path:
    """Unpack a zip or tar (plain, gz, bz2 or xz) into a new folder, all of it or nothing.

    An archive with one unsafe member is refused as a whole: a path that leads out of the folder,
    a link, a device, an encrypted file. ``__MACOSX`` and hidden files are left out. Nothing but
    plain folders and files is made, without the owners, permissions or times in the archive.

    Args:
        archive: the file to unpack; its content, not its name, says what kind it is.
        destination: the folder to make; it must not exist yet, or be empty.
        max_bytes: the most that may be written; what a tar holds besides may be as much again. For
            a small archive it is less: 100 MB, or a hundred times its size if that is more.
        max_files: the most members that the archive may have.

    Returns:
        ``destination``.

    Raises:
        ArchiveError: the archive is missing, damaged, unsafe, too large, of an unknown kind or
            empty, or the destination is taken; nothing is left behind.
    """
    archive, destination = Path(archive), Path(destination)
    if destination.exists() and not (destination.is_dir() and not any(destination.iterdir())):
        raise ArchiveError(
            f"{destination} exists already, so {archive.name} was not unpacked over it; "
            "remove it or choose another folder."
        )
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        # Beside the destination, so that the rename at the end is one step on one file system.
        with tempfile.TemporaryDirectory(
            prefix=".unpack-", dir=destination.parent, ignore_cleanup_errors=True
        ) as staging:
            content = Path(staging, "content")
            content.mkdir()
            max_bytes = min(max_bytes, max(_HARMLESS, _TIMES * archive.stat().st_size))
            # A tar is read from end to end, so what is left out of it and its headers count, too.
            most = 2 * max_bytes + 4096 * max_files
            members = _zip_members(archive) if _is_zip(archive) else _tar_members(archive, most)
            _write(archive, members, content, max_bytes, max_files)
            if destination.exists():
                destination.rmdir()
            os.replace(content, destination)
    except ArchiveError:
        raise
    except NotImplementedError as error:  # what zipfile raises for a compression it lacks
        raise ArchiveError(
            f"{archive.name} is packed in a way that Python cannot read ({error}); "
            "pack it again as an ordinary zip."
        ) from error
    except Exception as error:  # the standard library raises nearly anything on damaged archives
        # Errors of the system have a number; those that gzip and bz2 raise on damaged data do not.
        if isinstance(error, OSError) and error.errno is not None:
            raise ArchiveError(
                f"{archive} could not be unpacked into {destination} ({error.strerror}); "
                "check both paths and the free space."
            ) from error
        reason = str(error) or type(error).__name__
        raise ArchiveError(f"{archive.name} is damaged ({reason}); get it again.") from error
    return destination


def unpacked(archive: Path) -> Path:
    """The folder in the cache that a reader's archive was unpacked to, which has its name.

    It is unpacked once, and again if it has changed. Names in it whose encoding is unknown are
    counted and named.

    Raises:
        ArchiveError: as for ``unpack``.
    """
    place = _place(archive)
    place.mkdir(parents=True, exist_ok=True)
    inside = place / (archive.name.strip(".").split(".")[0] or "archive")
    with FileLock(place / "lock"):
        for left in place.glob(".unpack-*"):  # by a run that was killed
            shutil.rmtree(left, ignore_errors=True)
        if not inside.exists():
            unpack(archive, inside)
    if odd := _odd_names(archive) if _is_zip(archive) else []:
        said = f"{len(odd)} names in {archive.name} are in an unknown encoding: "
        print(printable(said + ", ".join(odd[:10]) + ", ..." * (len(odd) > 10)))
    return inside


def forget_unpacked(source: Path) -> None:
    """Remove from the cache what an archive was unpacked to; nothing if it is a folder."""
    if source.is_file():
        shutil.rmtree(_place(source), ignore_errors=True)


def _place(archive: Path) -> Path:
    state = archive.stat()
    key = os.fsencode(f"{archive} {state.st_size} {state.st_mtime_ns}")
    return cache_dir() / "own" / hashlib.sha256(key).hexdigest()[:16]


def _odd_names(archive: Path) -> list[str]:
    """The names in a zip whose encoding is not known; they were taken for code page 437.

    A zip says of each name whether it is UTF-8. Many programs write UTF-8 without saying so, or
    put it into a field besides; both are read. What is left are names in the code page of the
    computer that made the zip, and which that was the zip does not say.
    """
    with zipfile.ZipFile(archive) as opened:
        named = map(_zip_name, opened.infolist())
        return [name for name, is_known in named if not is_known]


def safe_path(name: str) -> PurePosixPath:
    """The relative path a member's name stands for.

    Raises:
        ValueError: the name is absolute, names a drive, climbs out with ``..`` or is too deep.
    """
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", name) or "\0" in name:
        raise ValueError("a path that leads out of the folder")
    if len(path.parts) > _DEEPEST:
        raise ValueError(f"a path of more than {_DEEPEST} folders")
    return path


# What both kinds of archive yield: a member's name, its size, why it is refused (empty if it is
# not), and a way to open it; None for a folder.
_Member = tuple[str, int, str, Callable[[], IO[bytes]] | None]


def _write(
    archive: Path, members: Iterator[_Member], folder: Path, max_bytes: int, max_files: int
) -> None:
    left, files = max_bytes, 0
    for count, (name, size, problem, open_member) in enumerate(members, start=1):
        if count > max_files:
            raise ArchiveError(
                f"{archive.name} holds more than {max_files:,} files; unpack it by hand if you "
                "trust it."
            )
        try:
            path = safe_path(name)
        except ValueError as error:
            problem = str(error)
        if problem:
            raise ArchiveError(
                f"{archive.name} was not unpacked because its member {name[:200]!r} is {problem}; "
                "pack it again with plain files and relative paths only."
            )
        hidden = any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
        if hidden or open_member is None:
            continue
        # A size may be a lie, but neither zipfile nor tarfile reads a member beyond it.
        if not 0 <= size <= left:
            raise ArchiveError(_too_large(archive, max_bytes))
        left, files = left - size, files + 1
        target = folder / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            # "x" because no honest archive needs to write the same file twice.
            with target.open("xb") as out, open_member() as source:
                shutil.copyfileobj(source, out)
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise ArchiveError(
                f"{archive.name} names {name!r} twice, as two files or as a file and a folder; "
                "pack it again."
            ) from error
    if not files:
        raise ArchiveError(f"{archive.name} holds no files; check that it is the right archive.")


def _zip_members(archive: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(archive) as opened:
        for member in opened.infolist():
            # Zips made on Windows carry no file type here, which reads as zero, and some of them
            # have backslashes for slashes.
            kind = stat.S_IFMT(member.external_attr >> 16)
            plain = kind in (0, stat.S_IFREG, stat.S_IFDIR)
            problem = "encrypted" if member.flag_bits & 1 else "" if plain else "a link or a device"
            name, _ = _zip_name(member)
            open_member = None if name.endswith(("/", "\\")) else partial(opened.open, member)
            yield name, member.file_size, problem, open_member


def _is_zip(archive: Path) -> bool:
    with archive.open("rb") as stream:
        return stream.read(4) in (b"PK\3\4", b"PK\5\6")


def _zip_name(member: zipfile.ZipInfo) -> tuple[str, bool]:
    """A member's name, and whether its encoding is known."""
    if member.flag_bits & 0x800:
        return member.filename, True
    raw, extra = member.orig_filename.encode("cp437"), member.extra
    try:
        while extra:  # fields of two bytes for the kind, two for the length, and the content
            kind, size = struct.unpack_from("<HH", extra)
            content, extra = extra[4 : 4 + size], extra[4 + size :]
            # Info-ZIP's "Unicode Path": a version, a checksum of the plain name, the name in UTF-8.
            if kind == 0x7075 and content[1:5] == struct.pack("<L", zlib.crc32(raw)):
                return content[5:].decode(), True
        return raw.decode(), True
    except (struct.error, UnicodeDecodeError):
        return member.filename, False


def _tar_members(archive: Path, most: int) -> Iterator[_Member]:
    try:
        opened = tarfile.open(archive, tarinfo=_TarInfo)  # noqa: SIM115
    except tarfile.ReadError as error:
        raise ArchiveError(
            f"{archive.name} is not a zip or tar archive, or is damaged; get it again or pack "
            "the files as a zip."
        ) from error
    with opened:
        for member in opened:
            problem = "" if member.isreg() or member.isdir() else "a link or a device"
            open_member = None if member.isdir() else partial(opened.extractfile, member)
            yield member.name, member.size, problem, open_member
            if opened.offset > most:
                raise ArchiveError(_too_large(archive, most))
        # tarfile takes a damaged header for the end of the archive, so look for the real end.
        opened.fileobj.seek(opened.offset)
        if opened.fileobj.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
            raise tarfile.ReadError("it ends in the middle")


class _TarInfo(tarfile.TarInfo):
    """Refuses a header whose text is too long before tarfile reads all of it into memory."""

    @classmethod
    def frombuf(cls, buf: bytes, encoding: str, errors: str) -> tarfile.TarInfo:
        header = super().frombuf(buf, encoding, errors)
        has_text = header.type in b"xgXLK"  # pax' own headers, and GNU's long names and links
        if has_text and header.size > _LONGEST_HEADER:
            raise tarfile.ReadError("a header of it is far too long")
        return header


def _too_large(archive: Path, max_bytes: int) -> str:
    return (
        f"{archive.name} holds more than the {max_bytes:,} bytes allowed for an archive of its "
        "size, so it may be a bomb; unpack it by hand if you trust it."
    )
