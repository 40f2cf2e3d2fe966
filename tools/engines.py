"""What the engines of a run can do, and which notebooks took another way there or stopped.

``make run`` ends with it when ``MILVUS_URI`` names a Milvus. Pasted, it is a bug report.
"""

import contextlib
import importlib.metadata
import io
import json
import os
import platform
from pathlib import Path

import nbformat
from scores import NOTEBOOKS

from helpers.connect import capabilities, connect_milvus, connect_redis, engine_name
from helpers.errors import ServiceError
from helpers.paths import build_folder
from helpers.scoreboard import aligned, write_json

REPORT = build_folder() / "engines.json"
_SAID_ABOVE = ("Milvus ", "Redis ", "Capabilities(")  # what the report has in other words


def examine(problems: dict[str, str]) -> dict:
    """Ask the engines what they can do, and the executed notebooks what they did; keep it.

    Args:
        problems: by the name of each notebook what went wrong with it, or nothing.

    Returns:
        ``versions`` and ``can``, by what they are of; ``notebooks``, by their names, each with its
        ``problem`` and its other ``ways``.
    """
    report = _engines()
    report["notebooks"] = {
        name: {
            "problem": problem,
            "ways": other_ways(build_folder() / f"{name}.ipynb", NOTEBOOKS / f"{name}.ipynb"),
        }
        for name, problem in problems.items()
    }
    write_json(REPORT, report)
    return report


def other_ways(executed: Path, committed: Path) -> list[str]:
    """What an executed notebook says where it asks what the engine can do.

    Args:
        executed: its copy in build/; it may be missing.
        committed: the one in notebooks/, which ran on the embedded engines.

    Returns:
        For each such cell the lines that it printed otherwise than there, as in ``cell 5: …``.
    """
    if not executed.exists():
        return []
    before = {cell["id"]: _printed(cell) for cell in _cells(committed)}
    ways = []
    for place, cell in enumerate(_cells(executed), 1):
        if cell["cell_type"] == "code" and "capabilities(" in "".join(cell["source"]):
            new = [line for line in _printed(cell) if line not in before.get(cell["id"], [])]
            ways += [f"cell {place}: {line}" for line in new if not line.startswith(_SAID_ABOVE)]
    return ways


def table(report: dict) -> str:
    """The report of ``examine`` as columns of text."""
    pairs = [*report["versions"].items(), ("", ""), *report["can"].items(), ("", "")]
    for name, notebook in report["notebooks"].items():
        pairs += [(name, notebook["problem"] or "ran"), *(("", way) for way in notebook["ways"])]
    return aligned([list(pair) for pair in pairs], left=(0, 1))


def _engines() -> dict:
    versions = {
        "pymilvus": importlib.metadata.version("pymilvus"),
        "Python": f"{platform.python_version()}, {platform.system()} {platform.machine()}",
    }
    can: dict[str, str] = {}
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            milvus = connect_milvus("")
            # Not before: pymilvus would read a MILVUS_URI that it does not take.
            from helpers.engines.capabilities import can_group

            versions["server"] = engine_name(milvus)
            able = capabilities(milvus)
            if os.environ.get("REDIS_URL"):
                versions["Redis"] = connect_redis("").info("server")["redis_version"]
        can = {
            "full text (BM25)": _yes(able.full_text),
            "several vectors, hybrid": _yes(able.multiple_vectors),
            "binary vectors": _yes(able.binary_vectors),
            "sparse vectors": _yes(able.sparse_vectors),
            "group by": _yes(can_group(milvus)),
            "of uncertain indexes": ", ".join(able.index_types) or "none",
        }
    except ServiceError as error:
        versions["no answer"] = str(error)
    return {"versions": versions, "can": can}


def _yes(able: bool) -> str:
    return "yes" if able else "no"


def _cells(path: Path) -> list[nbformat.NotebookNode]:
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def _printed(cell: dict) -> list[str]:
    texts = ("".join(o["text"]) for o in cell.get("outputs", ()) if o["output_type"] == "stream")
    return "".join(texts).splitlines()
