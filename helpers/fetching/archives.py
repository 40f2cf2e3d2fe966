"""Unpack zip and tar archives from anywhere without trusting what they say about themselves."""

import bz2
import gzip
import lzma
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
from pathlib import Path, PurePosixPath
from typing import IO

from helpers.errors import HelpfulError

_CHUNK = 1 << 20
# All that the standard library raises on archives that are broken by accident or by design.
_DAMAGED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    ValueError,
    OverflowError,
    RecursionError,
)
_OPENERS = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}


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
        max_bytes: the most that may be written, counted while writing.
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
    staging = None
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        # Beside the destination, so that the rename at the end is one step on one file system.
        staging = Path(tempfile.mkdtemp(prefix=".unpack-", dir=destination.parent))
        content = staging / "content"
        content.mkdir()
        with archive.open("rb") as stream:
            is_zip = stream.read(4) in (b"PK\3\4", b"PK\5\6")
        # A tar is read from end to end, so what is left out of it and its headers count as well.
        most = 2 * max_bytes + 4096 * max_files
        members = _zip_members(archive) if is_zip else _tar_members(archive, most)
        _write(archive, members, content, max_bytes, max_files)
        if destination.exists():
            destination.rmdir()
        os.replace(content, destination)
    except _DAMAGED as error:
        raise ArchiveError(_damaged(archive, error)) from error
    except NotImplementedError as error:  # what zipfile raises for a compression it lacks
        raise ArchiveError(
            f"{archive.name} is packed in a way that Python cannot read ({error}); "
            "pack it again as an ordinary zip."
        ) from error
    except OSError as error:
        if error.errno is None:  # raised by gzip and bz2 on damaged data, not by the system
            raise ArchiveError(_damaged(archive, error)) from error
        raise ArchiveError(
            f"{archive} could not be unpacked into {destination} ({error.strerror}); "
            "check both paths and the free space."
        ) from error
    finally:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)
    return destination


def safe_path(name: str) -> PurePosixPath:
    """The relative path a member's name stands for.

    Raises:
        ValueError: the name is absolute, names a drive or climbs out with ``..``.
    """
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", name) or "\0" in name:
        raise ValueError(name)
    return path


def copy_at_most(source: IO[bytes], target: IO[bytes], limit: int) -> int:
    """Copy a stream, whatever length it claims, and count it.

    Returns:
        The bytes copied; more than ``limit`` (by one piece) if the stream went on past it.
    """
    copied = 0
    while copied <= limit and (piece := source.read(_CHUNK)):
        target.write(piece)
        copied += len(piece)
    return copied


# What both kinds of archive yield: a member's name, why it is refused (or None), whether it is a
# folder, and a way to open it. Not its declared size, which may be a lie.
_Member = tuple[str, str | None, bool, Callable[[], IO[bytes]]]


def _write(
    archive: Path, members: Iterator[_Member], folder: Path, max_bytes: int, max_files: int
) -> None:
    left, files = max_bytes, 0
    for count, (name, refused, is_folder, open_member) in enumerate(members, start=1):
        if count > max_files:
            raise ArchiveError(
                f"{archive.name} holds more than {max_files:,} files; unpack it by hand if you "
                "trust it."
            )
        try:
            path = safe_path(name)
        except ValueError:
            refused = "a path that leads out of the folder"
        if refused:
            raise ArchiveError(
                f"{archive.name} was not unpacked because its member {name!r} is {refused}; "
                "pack it again with plain files and relative paths only."
            )
        if is_folder or any(part.startswith(".") or part == "__MACOSX" for part in path.parts):
            continue
        target = folder / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            # "x" because no honest archive needs to write the same file twice.
            with target.open("xb") as out, open_member() as source:
                left -= copy_at_most(source, out, left)
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise ArchiveError(
                f"{archive.name} names {name!r} twice, as two files or as a file and a folder; "
                "pack it again."
            ) from error
        if left < 0:
            raise ArchiveError(_too_large(archive, max_bytes))
        files += 1
    if not files:
        raise ArchiveError(f"{archive.name} holds no files; check that it is the right archive.")


def _zip_members(archive: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(archive) as opened:
        for member in opened.infolist():
            refused = None
            if member.flag_bits & 1:
                refused = "encrypted"
            # Zips made on Windows carry no file type here, which reads as zero.
            elif stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
                refused = "a link or a device"
            is_folder = member.is_dir() or member.filename.endswith("\\")

            def open_member(member: zipfile.ZipInfo = member) -> IO[bytes]:
                return opened.open(member)

            yield member.filename, refused, is_folder, open_member


def _tar_members(archive: Path, most: int) -> Iterator[_Member]:
    with archive.open("rb") as stream:
        start = stream.read(6)
    opener = next((opener for magic, opener in _OPENERS.items() if start.startswith(magic)), open)
    with opener(archive, "rb") as stream:
        metered = _Metered(stream, archive, most)
        try:
            opened = tarfile.open(fileobj=metered, mode="r:")  # noqa: SIM115
        except tarfile.ReadError as error:
            raise ArchiveError(
                f"{archive.name} is not a zip or tar archive, or is damaged; get it again or pack "
                "the files as a zip."
            ) from error
        with opened:
            for member in opened:
                refused = None if member.isreg() or member.isdir() else "a link or a device"

                def open_member(member: tarfile.TarInfo = member) -> IO[bytes]:
                    return opened.extractfile(member)

                yield member.name, refused, member.isdir(), open_member
            # tarfile takes a damaged header for the end of the archive, so look for the real end.
            metered.seek(opened.offset)
            if metered.read(512) != bytes(512):
                raise tarfile.ReadError("it ends in the middle")


class _Metered:
    """The stream under a tar, which refuses to inflate more than the limit or a huge header."""

    def __init__(self, stream: IO[bytes], archive: Path, most: int) -> None:
        self._stream, self._archive, self._most = stream, archive, most

    def read(self, size: int) -> bytes:
        if not 0 <= size <= _CHUNK:
            raise tarfile.ReadError("a header of it is far too long")
        return self._stream.read(size)

    def seek(self, position: int, whence: int = os.SEEK_SET) -> int:
        if position > self._most:
            raise ArchiveError(_too_large(self._archive, self._most))
        return self._stream.seek(position, whence)

    def tell(self) -> int:
        return self._stream.tell()


def _too_large(archive: Path, max_bytes: int) -> str:
    return (
        f"{archive.name} holds more than the {max_bytes:,} bytes allowed here; unpack it by hand "
        "if you trust it."
    )


def _damaged(archive: Path, error: Exception) -> str:
    return f"{archive.name} is damaged ({error or 'it ends early'}); get it again."
