"""Serves the notebooks of a folder as apps: apps_program.py FOLDER PASSWORD."""

import asyncio
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools" / "apps"), str(ROOT / "tools")]
os.environ["BOOTCAMP_APP"] = "1"

import capture  # noqa: E402
from app import App  # noqa: E402
from server import serve  # noqa: E402

capture.install()
apps = {path.stem: App(path) for path in sorted(Path(sys.argv[1]).glob("*.ipynb"))}
asyncio.run(serve(apps, "127.0.0.1", 0, sys.argv[2]))
