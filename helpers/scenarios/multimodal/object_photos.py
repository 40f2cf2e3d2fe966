"""The 99 object photos with what people or a model wrote about them, and the reader's own ones."""

import os
import textwrap
import unicodedata
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from helpers.assets import fetch
from helpers.errors import BadItem, HelpfulError
from helpers.inputs.files import IMAGE_SUFFIXES, list_files, print_left_out
from helpers.inputs.tables import own_table, read_table
from helpers.inputs.texts import written
from helpers.scenarios.multimodal.dashscope import DashScope

_CARD = 256  # pixels, the side of a text card
DESCRIPTIONS = "descriptions.csv"
_MOST_KEYWORDS, _KEYWORD_BYTES = 64, 256  # of a photo and of each, as the notebook's collection has
_MOST_BYTES = {"origin": 1024, "image_description": 65_535}  # likewise


class Photo(NamedTuple):
    """A photo and what was written about it.

    Attributes:
        path: its file.
        label: what it shows, in a few words.
        description: what can be seen, in at most 50 words.
        keywords: five of them; as many as there are for an own photo.
    """

    path: Path
    label: str
    description: str
    keywords: list[str]


def record(photo: Photo) -> dict[str, Any]:
    """What is stored of a photo: its attributes, and its texts as Milvus takes them.

    ``origin`` is the readable name of its file, at most 1,024 bytes long, ``image_description`` its
    description, at most 65,535.
    """
    texts = {"origin": _readable(photo.path.name), "image_description": photo.description}
    short = {key: _shortened(texts[key], most) for key, most in _MOST_BYTES.items()}
    return photo._asdict() | {"path": str(photo.path)} | short


def _readable(name: str) -> str:
    return os.fsencode(name).decode(errors="replace")  # names may be no UTF-8


def _shortened(text: str, most: int) -> str:
    return text.encode()[:most].decode(errors="ignore")


def load_object_photos() -> list[Photo]:
    """The object photos, with labels, descriptions and keywords written for this project.

    Photo 54 is left out: it shows a person rather than a thing.

    Raises:
        AssetError: the photos could not be fetched.
    """
    folder = fetch("object_photos")
    rows = own_table("object_photos.csv")
    return [
        Photo(folder / row["file"], row["label"], row["description"], _split(row["keywords"]))
        for row in rows
    ]


def load_queries(photos: Sequence[Photo]) -> list[tuple[str, int]]:
    """130 sentences people might search with, each with the number of the photo it is about.

    They were written for this project before any search was tried, and avoid the labels' words.

    Args:
        photos: from ``load_object_photos``; queries about photos that are missing are left out.
    """
    place = {photo.path.name: number for number, photo in enumerate(photos)}
    rows = own_table("object_photo_queries.csv")
    return [(row["query"], place[row["file"]]) for row in rows if row["file"] in place]


def describe_photos(photos: Sequence[Photo], service: DashScope | None = None) -> list[Photo]:
    """Let Qwen-VL write label, description and keywords of photos; failures are named and left out.

    Raises:
        HelpfulError: no call can succeed: no key, a wrong one, no network.
    """
    service = service or DashScope()

    def described(photo: Photo) -> Photo | str:
        try:
            return photo._replace(**service.describe(photo.path))
        except BadItem as error:
            return f"{photo.path.name}: {error}"

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(described, photos))  # after an error no further call is begun
    failed = [reason for reason in done if isinstance(reason, str)]
    if failed:
        print(f"{len(failed)} photos left out, not described:", "; ".join(failed[:10]))
    return [photo for photo in done if isinstance(photo, Photo)]


def load_own_photos(source: Path | str) -> list[Photo]:
    """Photos of your own, with descriptions if a file ``descriptions.csv`` lies beside them.

    Args:
        source: a folder, zip or tar of pictures. The CSV has the columns ``file`` and
            ``description``, and perhaps ``label`` and ``keywords`` (separated by ``;``). A photo
            that it does not mention is described by the words of its file name.

    Returns:
        The photos. What is wrong with rows of the CSV is printed, at most ten of them by name.

    Raises:
        HelpfulError: there is no picture, or the CSV lacks a column or cannot be read as text.
    """
    found = list_files(source, IMAGE_SUFFIXES | {".csv"})
    paths = {_nfc(path): path for path in found if path.suffix.lower() != ".csv"}
    if not paths:
        raise HelpfulError(f"{source} holds tables but no picture; choose another.")
    tables = [path for path in found if path.name == DESCRIPTIONS]
    others = [path.name for path in found if path.suffix.lower() == ".csv" and path not in tables]
    print_left_out(f"not named {DESCRIPTIONS}", others)
    rows: dict[Path, dict[str, str]] = {}
    problems = []
    for table in tables:
        for line, row, problem in read_table(
            table.read_bytes(), DESCRIPTIONS, ["file", "description"]
        ):
            path = paths.get(_nfc(table.parent / row.get("file", "")))
            problem = problem or _problem(row, path)
            if problem:
                problems.append(f"line {line}: {problem}")
            else:
                rows[path] = row
    print_left_out(f"rows of {DESCRIPTIONS}", problems)
    return [_own(path, rows.get(path, {})) for path in paths.values()]


def _nfc(path: Path) -> str:
    """A path with its letters composed: a Mac's file names are not, what people type mostly is."""
    return unicodedata.normalize("NFC", str(path))


def _problem(row: dict[str, str], path: Path | None) -> str:
    """Why a row of the table cannot be used."""
    if path is None:
        return f"no picture {row['file']}"
    if not _has_words(row["description"]):
        return "no description"
    words = _split(row.get("keywords", ""))
    if len(words) > _MOST_KEYWORDS or any(len(word.encode()) > _KEYWORD_BYTES for word in words):
        return f"more than {_MOST_KEYWORDS} keywords, or one of more than {_KEYWORD_BYTES} bytes"
    return ""


def _has_words(text: str) -> bool:
    return any(letter.isalnum() for letter in text)


def text_card(text: str) -> Image.Image:
    """A text as a square picture, so that it can stand in a grid: 256 pixels wide.

    A long text is set smaller, and cut where it still does not fit.
    """
    wide = any(unicodedata.east_asian_width(letter) == "W" for letter in text)
    for columns, most in ((14, 6), (17, 7), (20, 8)):
        lines = textwrap.wrap(text[:1_000], columns // 2 if wide else columns)
        if len(lines) <= most:
            break
    else:
        lines = [*lines[: most - 1], "..."]
    room = _CARD - 16
    widest = max((written(line, 100).width / 100 for line in lines), default=0)
    size = max(1, int(min(30, room / max(widest, 1), room / 1.25 / max(len(lines), 1))))
    card, top = Image.new("RGB", (_CARD, _CARD), "white"), (_CARD - 1.25 * size * len(lines)) / 2
    for number, line in enumerate(lines):
        words = written(line, size)
        card.paste(words, ((_CARD - words.width) // 2, round(top + 1.25 * size * number)), words)
    return card


def _own(path: Path, row: dict[str, str]) -> Photo:
    words = _readable(path.stem).replace("_", " ").replace("-", " ").strip()
    words = words if _has_words(words) else "a photo"
    description = row.get("description", words)
    return Photo(path, row.get("label") or words, description, _split(row.get("keywords", "")))


def _split(keywords: str) -> list[str]:
    return [word.strip() for word in keywords.split(";") if word.strip()]
