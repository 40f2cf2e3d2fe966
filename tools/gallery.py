"""Write the README's gallery from the committed notebooks and their scores, notebooks/scores.json.

python tools/gallery.py            write it, and its pictures into docs/gallery/
python tools/gallery.py --check    only say, by exit status 1, that the README differs

The picture of a notebook is the first one that its cell tagged ``gallery`` shows.
"""

import argparse
import base64
import io
import json
import sys

from PIL import Image
from readme import README, fill
from scores import COMMITTED, NOTEBOOKS, ROOT, committed

from helpers.scoreboard import Score, as_text

PICTURES = ROOT / "docs" / "gallery"
COLUMNS = ["notebook", "", "data", "model", "score", "recall@10", "search ms", "seconds"]


def table(scores: dict[str, Score]) -> str:
    """The gallery as a Markdown table, a row for each notebook in the order of their names."""
    rows = [COLUMNS, ["---"] * len(COLUMNS)]
    for name, score in sorted(scores.items()):
        title = name.replace("_", " ")
        quality = [
            f"{figure} {as_text(measured)}" for figure, (measured, _) in score["quality"].items()
        ]
        figures = [as_text(score[name]) for name in ("recall", "search_ms", "seconds")]
        rows.append(
            [
                f"[{title}](notebooks/{name}.ipynb)",
                _picture(name, title),
                score["data"],
                score["model"],
                "<br>".join(quality),
                *figures,
            ]
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def draw(name: str) -> None:
    """Put a small copy of a notebook's gallery picture into docs/gallery/."""
    notebook = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))
    pictures = [
        data
        for cell in notebook["cells"]
        if "gallery" in cell["metadata"].get("tags", [])
        for output in cell["outputs"]
        for kind, data in output.get("data", {}).items()
        if kind in ("image/png", "image/jpeg")
    ]
    if pictures:
        PICTURES.mkdir(parents=True, exist_ok=True)
        image = Image.open(io.BytesIO(base64.b64decode(pictures[0]))).convert("RGB")
        image.thumbnail((440, 440), Image.Resampling.LANCZOS)
        image.quantize(128).save(PICTURES / f"{name}.png", optimize=True)


def main() -> int:
    """Write or check the README; 1 when a check finds it out of date."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="change nothing, only compare")
    check = parser.parse_args().check
    scores = committed()
    if not scores:
        raise SystemExit(f"There is no score in {COMMITTED}; `make notebooks` writes them.")
    for name in scores if not check else ():
        draw(name)
    readme = README.read_text(encoding="utf-8")
    filled = fill(readme, "gallery", table(scores))
    if check and filled != readme:
        print("The gallery in README.md differs from notebooks/scores.json: run tools/gallery.py.")
        return 1
    if filled != readme:
        README.write_text(filled, encoding="utf-8")
    return 0


def _picture(name: str, title: str) -> str:
    file = PICTURES / f"{name}.png"
    if not file.exists():
        return ""
    return f'<img src="docs/gallery/{file.name}" width="220" alt="A result of {title}">'


if __name__ == "__main__":
    sys.exit(main())
