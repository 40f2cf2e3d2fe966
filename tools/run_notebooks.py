"""Execute the notebooks, each in a fresh kernel, and end with the scoreboard.

python tools/run_notebooks.py                      all of them, into build/
python tools/run_notebooks.py 01_image_search      one
python tools/run_notebooks.py --in-place           keep the outputs in notebooks/, as committed

A notebook that has not changed since it last ran well, nor anything it uses here, is not executed
again, unless --force or --in-place says so.

While it works it says on what: on a terminal in one line, in a log at least every half minute. It
ends with the scoreboard and the slowest cells.

A notebook that fails is named with its error and the others still run. The exit status is 1 when
one failed, missed a floor or recorded no score.
"""

import argparse
import asyncio
import contextlib
import hashlib
import json
import math
import os
import re
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import engines
import nbformat
import scores
from choice import choose, command_line
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from scores import NOTEBOOKS, ROOT
from traitlets import default

from helpers.paths import build_folder
from helpers.scoreboard import aligned

BUILD = build_folder()
SETTINGS = "MILVUS_URI", "REDIS_URL", "BOOTCAMP_STORES", "BENCHMARK_SIZE", "BENCHMARK_SERVER"
"""Environment variables on which a notebook's result depends."""
DRAW_SECONDS, LOG_SECONDS = 0.5, 30  # between two looks at the work, on a terminal and in a log
STOPS = signal.SIGINT, signal.SIGTERM
SLOWEST = 10  # cells to name at the end

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


class ThisPython(AsyncKernelManager):
    """Starts kernels on the interpreter that runs this tool, whatever kernels are registered."""

    @default("kernel_spec_manager")
    def _no_registered_kernels(self) -> KernelSpecManager:
        return KernelSpecManager(parent=self, kernel_dirs=[])


class PlainLoop(asyncio.SelectorEventLoop):
    """Leaves Ctrl-C to asyncio: nbclient's own handler would only end the kernel at work."""

    def add_signal_handler(self, *args: object) -> None:
        """Refuse, in the way that nbclient expects where signals cannot be caught."""
        raise RuntimeError("signals are left alone")


@dataclass
class Result:
    """How the run of one notebook ended; ``problem`` is empty when it went well.

    ``cells`` has the seconds of each cell that came to an end, by its number.
    """

    name: str
    problem: str
    seconds: float
    cells: dict[int, float]


@dataclass
class Cell:
    """A cell as progress and the table of the slowest name it."""

    notebook: str
    number: int
    heading: str
    first_line: str
    seconds: float = 0.0


def outline(path: Path) -> list[Cell]:
    """The cells of a notebook, each with the heading that it stands under; none if unreadable."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        texts = [(cell["cell_type"], "".join(cell["source"])) for cell in cells]
    except (ValueError, LookupError, TypeError):
        return []
    found, heading = [], ""
    for number, (kind, text) in enumerate(texts, 1):
        if kind == "markdown" and (title := re.search(r"^#+ +(.+)", text, re.MULTILINE)):
            heading = title[1]
        found.append(Cell(path.stem, number, heading, (text.splitlines() or [""])[0]))
    return found


class Progress:
    """Says while a notebook runs which cell is at work, and for how long.

    On a terminal this is one line that is drawn over, also while one cell takes long. In a log it
    is a line when the notebook starts, and one every LOG_SECONDS.
    """

    def __init__(self, title: str, path: Path) -> None:
        self.title = title
        self.usual = _usual(path.stem)
        self.cells = outline(path)
        self._at: Cell | None = None
        self._began = time.monotonic()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Progress":
        self._draw(f"{self.title} … {self.usual}".rstrip())
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def cell(self, number: int, _: int) -> None:
        """Note that the cell of this number starts."""
        self._at = self.cells[number - 1]

    def state(self) -> str:
        """What is at work and for how long."""
        seconds = f"{time.monotonic() - self._began:.0f} s"
        parts = [seconds + (f" ({self.usual})" if self.usual else "")]
        if cell := self._at:
            parts += [f"cell {cell.number} of {len(self.cells)}", cell.heading]
        return f"{self.title} … {', '.join(filter(None, parts))}"

    def _watch(self) -> None:
        while not self._done.wait(DRAW_SECONDS if sys.stdout.isatty() else LOG_SECONDS):
            self._draw(self.state())

    def _draw(self, text: str) -> None:
        if sys.stdout.isatty():
            _say(text[: shutil.get_terminal_size().columns - 1], end="")
        else:
            _say(text)


def slowest(cells: list[Cell]) -> str:
    """A table of the cells that took longest, without those of less than a tenth of a second."""
    longest = sorted(
        (cell for cell in cells if cell.seconds >= 0.1), key=lambda cell: -cell.seconds
    )
    lines = [["slowest cells", "cell", "seconds", "under", "first line"]]
    for cell in longest[:SLOWEST]:
        numbers = [str(cell.number), f"{cell.seconds:.1f}"]
        lines.append([cell.notebook, *numbers, cell.heading[:40], cell.first_line[:60]])
    return aligned(lines, left=(0, 3, 4)) if longest else ""


def execute(
    notebook: nbformat.NotebookNode,
    name: str,
    timeout: float,
    on_cell: Callable[[int], None],
    on_cell_end: Callable[[int, float], None],
) -> str:
    """Run ``notebook`` in a fresh kernel, filling in its outputs; what went wrong, or nothing."""
    deadline = time.monotonic() + timeout
    cell, began = 0, 0.0

    def started(cell_index: int, **_: object) -> None:
        nonlocal cell, began
        cell, began = cell_index + 1, time.monotonic()
        on_cell(cell)

    def ended(**_: object) -> None:
        on_cell_end(cell, time.monotonic() - began)

    client = NotebookClient(
        notebook,
        kernel_name="python3",
        kernel_manager_class=ThisPython,
        timeout_func=lambda _: max(1.0, deadline - time.monotonic()),
        on_cell_start=started,
        on_cell_executed=ended,
        resources={"metadata": {"path": str(NOTEBOOKS)}},
        record_timing=False,
    )
    # What a kernel writes outside its cells, such as the last words of a crash, goes to a file.
    log = BUILD / f"{name}.log"
    with log.open("wb") as out, asyncio.Runner(loop_factory=PlainLoop) as loop:
        try:
            loop.run(_execute_or_stop(client, stdout=out, stderr=out))
        except CellExecutionError as error:
            return f"cell {cell}: {error.ename}: {error.evalue or _failing_line(error.traceback)}"
        except CellTimeoutError:
            return f"cell {cell}: not finished after {timeout:g} s; --timeout allows more"
        except DeadKernelError:
            return f"cell {cell}: the kernel died (often out of memory); see {log}"
    log.unlink(missing_ok=True)  # Another run of this notebook may have done so.
    return ""


def tidy(notebook: nbformat.NotebookNode) -> None:
    """Keep of an executed notebook what a reader needs, so that a re-run gives a small diff."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = _tidy_outputs(cell.outputs)


def fingerprint(path: Path) -> str:
    """A hash of all that a notebook's result depends on here: files, pins and engines."""
    files = [path, *ROOT.glob("helpers/**/*.py"), *ROOT.glob("data/**/*"), *ROOT.glob("*.txt")]
    files = sorted(file for file in files if file.is_file())
    parts = [f"{file} {hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files]
    parts += [os.environ.get(name, "") for name in SETTINGS]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def unchanged(path: Path) -> bool:
    """Whether a notebook ran well before and nothing has changed since."""
    stamp = BUILD / f"{path.stem}.ran-well"
    if not (stamp.exists() and (BUILD / path.name).exists() and scores.load(path.stem)):
        return False
    return stamp.read_text(encoding="utf-8") == fingerprint(path)


def run(path: Path, timeout: float, in_place: bool, on_cell: Callable[[int, int], None]) -> Result:
    """Execute one notebook, keep the executed copy in build/, and judge it by its record."""
    scores.forget(path.stem)
    stamp = BUILD / f"{path.stem}.ran-well"
    stamp.unlink(missing_ok=True)
    try:
        notebook = nbformat.read(path, as_version=4)
    except (nbformat.reader.NotJSONError, nbformat.ValidationError) as error:
        return Result(path.stem, f"not a readable notebook: {str(error)[:100]}", 0, {})
    start = time.monotonic()
    cells: dict[int, float] = {}
    problem = execute(
        notebook,
        path.stem,
        timeout,
        on_cell=lambda cell: on_cell(cell, len(notebook.cells)),
        on_cell_end=cells.__setitem__,
    )
    seconds = time.monotonic() - start
    scores.add_seconds(path.stem, seconds)
    tidy(notebook)
    nbformat.write(notebook, BUILD / path.name)
    if not problem:
        score = scores.load(path.stem)
        if score is None:
            problem = f'no score: the notebook never called scoreboard.record("{path.stem}", ...)'
        elif below := scores.missed(score):
            problem = f"below its floor: {', '.join(below)}"
        else:
            if in_place:
                nbformat.write(notebook, path)
            stamp.write_text(fingerprint(path), encoding="utf-8")
            scores.keep_time(path.stem, seconds)
    return Result(path.stem, problem, seconds, cells)


def main() -> int:
    """Run what the command line names and print the scoreboard; 0 when all went well."""
    parser = command_line(__doc__)
    parser.add_argument(
        "--in-place", action="store_true", help="write into notebooks/ what ran well"
    )
    parser.add_argument("--force", action="store_true", help="execute unchanged notebooks too")
    parser.add_argument(
        "--timeout", type=_seconds, default=900, help="seconds a notebook, 900 if not given"
    )
    options = parser.parse_args()
    paths = choose(options.names)
    (BUILD / "scores").mkdir(parents=True, exist_ok=True)

    results, cells = [], []
    for number, path in enumerate(paths, 1):
        title = f"[{number}/{len(paths)}] {path.stem}"
        if not (options.force or options.in_place) and unchanged(path):
            _say(f"{title}  unchanged since it last ran well")
            continue
        with Progress(title, path) as progress:
            result = run(path, options.timeout, options.in_place, progress.cell)
        for number, seconds in result.cells.items():
            cells.append(replace(progress.cells[number - 1], seconds=seconds))
        verdict = "FAILED " + result.problem if result.problem else "ok"
        _say(f"{title}  {result.seconds:.0f} s  {verdict}")
        results.append(result)

    failed = [result for result in results if result.problem]
    if options.in_place:
        scores.publish(result.name for result in results if not result.problem)
    recorded = [score for path in paths if (score := scores.load(path.stem))]
    print(f"\n{scores.table(recorded)}")
    if table := slowest(cells):
        print(f"\n{table}\n")
    for result in failed:
        print(f"FAILED {result.name}  {result.problem}")
    if os.environ.get("MILVUS_URI"):
        problems = {result.name: result.problem for result in results}
        report = engines.examine({path.stem: problems.get(path.stem, "") for path in paths})
        print(f"\n{engines.table(report)}\n")
    print(f"The executed notebooks are in {BUILD}.")
    return 1 if failed else 0


def _seconds(text: str) -> float:
    with contextlib.suppress(ValueError):
        if math.isfinite(seconds := float(text)) and seconds > 0:
            return seconds
    raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")


async def _execute_or_stop(client: NotebookClient, **options: object) -> None:
    try:
        await client.async_execute(**options)
    except DeadKernelError:
        task = asyncio.current_task()
        if task and task.cancelling():
            # Ctrl-C cancelled this task, which nbclient takes for the death of its kernel.
            raise asyncio.CancelledError from None
        raise


def _stop(*_: object) -> None:
    """Stop once: another Ctrl-C would only interrupt the end of the kernel."""
    for one in STOPS:
        signal.signal(one, lambda *_: None)
    raise KeyboardInterrupt


def _usual(name: str) -> str:
    """How long a notebook takes, by its last run here, else by the one that was committed."""
    if seconds := scores.times().get(name):
        return f"usually about {seconds:.0f} s"
    if seconds := scores.committed().get(name, {}).get("seconds"):
        return f"about {seconds:.0f} s in the committed run"
    return ""


def _say(text: str, end: str = "\n") -> None:
    wipe = "\r\x1b[K" if sys.stdout.isatty() else ""
    print(f"{wipe}{text}", end=end, flush=True)


def _failing_line(traceback: str) -> str:
    """The line of the cell that raised, for an error without a message, such as a bare assert."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", traceback)
    marked = re.findall(r"^-+> \d+ (.*)$", plain, flags=re.MULTILINE)
    return marked[0].strip() if marked else "no message"


def _tidy_outputs(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    kept: list[nbformat.NotebookNode] = []
    for output in outputs:
        if WIDGET_VIEW in output.get("data", {}):
            # Only a live kernel can show a widget; its picture or table can stand without it.
            del output.data[WIDGET_VIEW]
            if not any(kind.startswith("image/") or kind == "text/html" for kind in output.data):
                continue
        last = kept[-1] if kept else {}
        if output.output_type == last.get("output_type") == "stream" and output.name == last.name:
            last.text += output.text
        else:
            kept.append(output)
    for output in kept:
        if output.output_type == "stream":
            # As a terminal would: what stands before a carriage return is drawn over.
            output.text = re.sub(r"[^\n]*\r(?!\n)", "", output.text)
    return [output for output in kept if output.get("text") != ""]


if __name__ == "__main__":
    # Also where Ctrl-C was to be ignored, as a script has it for what it starts in its background.
    for one in STOPS:
        signal.signal(one, _stop)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("\nStopped.")
