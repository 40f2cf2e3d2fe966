"""A reader's own files: what lies in a folder, a zip or a tar."""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from filelock import FileLock

from helpers.errors import HelpfulError
from helpers.fetching.archives import unpack
from helpers.paths import cache_dir

IMAGE_SUFFIXES = frozenset(
    [".avif", ".bmp", ".gif", ".heic", ".ico", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg"]
    + [".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"]
)


def list_files(source: Path | str, suffixes: Collection[str] = IMAGE_SUFFIXES) -> list[Path]:
    """The files of the wanted kinds in a folder and below it, or in a zip or tar archive.

    An archive is unpacked once, into the cache, without trusting the paths and sizes in it.

    Args:
        source: a folder, an archive, or a single file of the wanted kind.
        suffixes: name endings in lower case, with the dot.

    Returns:
        Paths in alphabetical order; hidden files and ``__MACOSX`` are left out.

    Raises:
        HelpfulError: there is no such file or folder, or it holds nothing of the wanted kinds.
        ArchiveError: the archive is damaged or unsafe.
    """
    source = Path(source).expanduser().absolute()
    if not source.exists():
        raise HelpfulError(f"There is no file or folder {source}; check the path.")
    if source.is_file() and source.suffix.lower() in suffixes:
        return [source]
    folder = source if source.is_dir() else _unpacked(source)
    found = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in suffixes and path.is_file() and not _hidden(path, folder)
    )
    if not found:
        kinds = ", ".join(sorted(suffixes))
        raise HelpfulError(f"{source} holds no file of the kinds {kinds}; choose another.")
    return found


def by_folder(paths: Iterable[Path], is_one: Callable[[Path], bool], kind: str) -> dict[Path, str]:
    """Own files and the folder each lies in; those that are not of the kind are named and left out.

    Args:
        paths: from ``list_files``.
        is_one: whether a file is of the kind, as a look at its head tells.
        kind: what a file should be, for the messages: ``"picture"``.

    Raises:
        HelpfulError: none of them is.
    """
    paths = sorted(set(paths))
    good = {path: path.parent.name for path in paths if is_one(path)}
    bad = [path for path in paths if path not in good]
    if bad:
        print(f"{len(bad)} left out, no {kind}s:", ", ".join(path.name for path in bad[:10]))
    if not good:
        kinds = Counter(path.suffix.lower() for path in bad)
        raise HelpfulError(f"None of these files is a {kind}: {dict(kinds)}; choose others.")
    return good


def _hidden(path: Path, folder: Path) -> bool:
    parts = path.relative_to(folder).parts
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)


def _unpacked(archive: Path) -> Path:
    """The folder an archive was unpacked to, which has its name; unpacked again if it changed."""
    state = archive.stat()
    key = f"{archive} {state.st_size} {state.st_mtime_ns}"
    folder = cache_dir() / "own" / hashlib.sha256(key.encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    inside = folder / archive.name.split(".")[0]
    with FileLock(folder / "lock"):
        return inside if inside.exists() else unpack(archive, inside)
