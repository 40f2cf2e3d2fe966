"""Serve the notebooks as apps: one page that lists them, and a page for each.

python tools/apps                      all of them, for this computer only
python tools/apps 01_image_search      one
python tools/apps --address 0.0.0.0    for others, too, who know the password BOOTCAMP_PASSWORD

The apps answer from what the notebooks have stored; one that finds nothing runs its notebook, once.
"""

import asyncio
import ipaddress
import os
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # beside it stands what runs notebooks
os.environ["BOOTCAMP_APP"] = "1"  # before helpers: visitors name no paths of this computer

import capture
from app import App
from choice import choose, command_line
from program import has_app
from server import serve

from helpers.paths import build_folder


def main() -> None:
    """Read the command line and serve."""
    parser = command_line(__doc__)
    parser.add_argument("--address", default="127.0.0.1", help="127.0.0.1 if not given")
    parser.add_argument("--port", type=int, default=8866, help="8866 if not given")
    parser.add_argument("--browser", action="store_true", help="open the page in a browser")
    options = parser.parse_args()
    password = os.environ.get("BOOTCAMP_PASSWORD", "")
    if not password and not _loopback(options.address):
        sys.exit(f"{options.address} is open to others: set BOOTCAMP_PASSWORD, too.")
    chosen = choose(options.names)
    apps = {path.stem: App(path) for path in chosen if has_app(path)}
    if not apps:
        sys.exit(f"{chosen[0].stem} has no app.")
    folder = build_folder() / "apps"
    folder.mkdir(parents=True, exist_ok=True)
    for one in apps.values():
        (folder / f"{one.name}.py").write_text(one.text(), encoding="utf-8")
    capture.install()
    threading.Thread(target=_warm_up, daemon=True).start()
    try:
        asyncio.run(serve(apps, options.address, options.port, password, options.browser))
    except KeyboardInterrupt:
        print("\nStopped.")


def _loopback(address: str) -> bool:
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        sys.exit(f"{address!r} is no address; 127.0.0.1 is this computer only.")


def _warm_up() -> None:
    """Load what takes longest to import, while the visitor chooses."""
    import matplotlib.pyplot  # noqa: F401
    import pandas  # noqa: F401
    import pymilvus  # noqa: F401

    import helpers.encoders.torchvision_compat  # noqa: F401


if __name__ == "__main__":
    main()
