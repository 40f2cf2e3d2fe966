"""A reader's own files: what lies in a folder, a zip or a tar, whatever its name."""

import os
import stat
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from helpers.errors import BadItem, HelpfulError, printable
from helpers.fetching.archives import forget_unpacked, unpacked
from helpers.paths import cache_dir

IMAGE_SUFFIXES = frozenset(
    [".apng", ".avif", ".bmp", ".gif", ".heic", ".heif", ".ico", ".jfif", ".jp2", ".jpe", ".jpeg"]
    + [".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tga", ".tif", ".tiff", ".webp"]
)
_NAMED = 10  # files that a message names


def open_file(path: Path | str) -> BinaryIO:
    """Open a file to read its bytes.

    Raises:
        BadItem: it is not there, may not be read, or is no file but a folder, a device or a named
            pipe, which would keep its reader waiting for ever.
    """
    try:
        if stat.S_ISREG(os.stat(path).st_mode):
            return open(path, "rb")
    except OSError as error:
        raise BadItem(error.strerror or str(error)) from error
    except ValueError as error:  # what Python raises for a NUL
        raise BadItem(f"no name of a file ({error})") from None
    raise BadItem("not a file but a folder, a pipe or a device")


def existing(path: Path | str, folders: bool = True) -> Path:
    """The path of a file, or of a folder where one will do; ``~`` stands for the home.

    Raises:
        BadItem: as for ``open_file``, or there is no such home.
    """
    try:
        found = Path(path).expanduser()
    except RuntimeError as error:  # for the home of a user who is not there
        raise BadItem(str(error)) from None
    if not (folders and os.path.isdir(found)):
        open_file(found).close()
    return found


def list_files(source: Path | str, suffixes: Collection[str] = IMAGE_SUFFIXES) -> list[Path]:
    """The files of the wanted kinds in a folder and below it, or in a zip or tar archive.

    An archive is unpacked once, into the cache, without trusting the paths and sizes in it. Links
    to files are followed, links to folders are not: they may go round in circles. What is left out
    of a reader's own folder is counted and named, but for hidden files and ``__MACOSX``.

    Args:
        source: a folder, an archive, or a single file of the wanted kind.
        suffixes: name endings in lower case, with the dot.

    Returns:
        Paths in alphabetical order.

    Raises:
        HelpfulError: there is no such file or folder, or it holds nothing of the wanted kinds.
        ArchiveError: the archive is damaged or unsafe.
    """
    source = _source(source)
    if source.is_file() and source.suffix.lower() in suffixes:
        return [source]
    found, others, problems = [], Counter(), []
    for path, problem in _walk(source if source.is_dir() else unpacked(source)):
        if problem:
            problems.append(f"{path.name} ({problem})")
        elif path.suffix.lower() in suffixes:
            found.append(path)
        else:
            others[path.suffix.lower() or "without an ending"] += 1
    print_left_out("cannot be read", sorted(problems))
    if others and not source.is_relative_to(cache_dir()):  # what of an asset is used, its code says
        kinds = ", ".join(f"{count} {kind}" for kind, count in others.most_common(_NAMED))
        print(f"{others.total()} left out, other kinds of files:", printable(kinds))
    if not found:
        forget_unpacked(source)
        raise HelpfulError(
            f"{source} holds no file of the kinds {', '.join(sorted(suffixes))}; choose another."
        )
    return sorted(found)


def by_folder(
    source: Path | str, suffixes: Collection[str], is_one: Callable[[Path], bool], kind: str
) -> dict[Path, str]:
    """Own files and the folder each lies in; those that are not of the kind are named and left out.

    Args:
        source: as for ``list_files``.
        suffixes: likewise.
        is_one: whether a file is of the kind, as a look at its head tells.
        kind: what a file should be, for the messages: ``"picture"``.

    Raises:
        HelpfulError: none of them is, or ``list_files`` finds none.
    """
    paths = list_files(source, suffixes)
    good = {path: printable(path.parent.name) for path in paths if is_one(path)}
    bad = [path for path in paths if path not in good]
    print_left_out(f"no {kind}s", [path.name for path in bad])
    if not good:
        forget_unpacked(_source(source))
        kinds = Counter(path.suffix.lower() for path in bad)
        raise HelpfulError(f"None of these files is a {kind}: {dict(kinds)}; choose others.")
    return good


def print_left_out(why: str, names: Sequence[str]) -> None:
    """Say how many things were left out and name the first ten; nothing if there are none."""
    if names:
        more = ", ..." if len(names) > _NAMED else ""
        shown = printable(", ".join(names[:_NAMED]))
        print(f"{len(names)} left out, {why}: {shown}{more}")


def _source(source: Path | str) -> Path:
    try:
        return existing(source).absolute()
    except BadItem as error:
        raise HelpfulError(
            f"There is no file or folder {source} ({error}); check the path."
        ) from None


def _walk(folder: Path) -> Iterator[tuple[Path, str]]:
    """Everything below a folder but folders and hidden things, with what keeps it from being read.

    Without recursion, so that no depth of folders is too much.
    """
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            entries = list(os.scandir(here))
        except OSError as error:
            yield here, error.strerror or str(error)
            continue
        for entry in entries:
            path = Path(entry.path)
            if entry.name.startswith(".") or entry.name == "__MACOSX":
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append(path)
            elif os.path.isfile(path):
                yield path, ""
            else:
                yield path, _odd(path)


def _odd(path: Path) -> str:
    """Why something in a folder is no file."""
    if os.path.isdir(path):
        return "a link to a folder"
    return "a pipe or a device" if os.path.exists(path) else "a link to nothing"
