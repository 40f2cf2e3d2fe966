"""Where things lie: the project, its own tables, the cache, what runs leave, and the stores."""

from __future__ import annotations

import os
import re
from pathlib import Path

import platformdirs

from helpers.errors import ServiceError

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"


def cache_dir() -> Path:
    """The folder that keeps fetched assets: ``BOOTCAMP_CACHE``, or the user's cache folder."""
    chosen = os.environ.get("BOOTCAMP_CACHE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    return platformdirs.user_cache_path("vector-search-bootcamp")


def build_folder() -> Path:
    """Where runs leave what git ignores: ``build/``, unless ``BOOTCAMP_BUILD`` names another."""
    return Path(os.environ.get("BOOTCAMP_BUILD") or ROOT / "build")


def store_folder(name: str) -> Path:
    """Say where the embedded files of one notebook live.

    Args:
        name: the notebook's name for its store: letters, digits, ``_`` and ``-``.

    Returns:
        The folder, which may not exist yet: ``.stores/<name>`` at the root of this project, or
        ``<name>`` under the folder that the environment variable ``BOOTCAMP_STORES`` names.

    Raises:
        ServiceError: the name could leave the stores folder or would not make a file name.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,100}", name):
        raise ServiceError(
            f"{name!r} cannot name a store: use only letters, digits, '_' and '-', as in "
            "'image_search'."
        )
    stores = os.environ.get("BOOTCAMP_STORES")
    return (Path(stores).expanduser().absolute() if stores else ROOT / ".stores") / name


def create_folder(folder: Path) -> None:
    """Create a store's folder, its parents included.

    Raises:
        ServiceError: the place cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ServiceError(
            f"The folder {shown(folder)} cannot be created ({error.strerror}): set BOOTCAMP_STORES "
            "to a folder that you may write to."
        ) from None


def shown(path: Path) -> str:
    """Write a path without what lies above the project, so that outputs can be shared."""
    if path.is_relative_to(ROOT):
        return path.relative_to(ROOT).as_posix()
    return "/".join(path.parts[-2:])
