"""tools/run_notebooks.py on tiny notebooks, as a user starts it."""

import contextlib
import fcntl
import json
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import nbformat
import psutil
import pytest
import run_notebooks
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

ROOT = Path(__file__).resolve().parents[2]


class Project:
    """A throw-away project with the real runner and made-up notebooks."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.notebooks = folder / "notebooks"
        self.build = folder / "build"
        self.scores = self.notebooks / "scores.json"
        self.notebooks.mkdir()
        (folder / "tools").mkdir()
        for name in ("run_notebooks.py", "choice.py", "scores.py", "engines.py"):
            shutil.copy(ROOT / "tools" / name, folder / "tools")

    def add(self, name: str, *cells: str) -> Path:
        path = self.notebooks / f"{name}.ipynb"
        book = new_notebook(cells=[new_markdown_cell("# Title"), *map(new_code_cell, cells)])
        nbformat.write(book, path)
        return path

    def add_good(self, name: str, measured: float = 0.9) -> Path:
        return self.add(name, "print('hello')", record(name, measured))

    def start(self, *arguments: str, **options: object) -> subprocess.Popen:
        stores = {"BOOTCAMP_BUILD": str(self.build), "BOOTCAMP_STORES": str(self.folder / "stores")}
        where = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        return subprocess.Popen(
            [sys.executable, self.folder / "tools" / "run_notebooks.py", *arguments],
            env={**os.environ, **stores},
            **(where | options),
        )

    def run(self, *arguments: str) -> tuple[int, str]:
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=120)
        return process.returncode, output


def record(name: str, measured: float = 0.9) -> str:
    return (
        "from helpers import scoreboard\n"
        f"scoreboard.record({name!r}, rows=9, quality={{'P@5': ({measured}, 0.8)}}, recall=1.0,\n"
        "                  search_ms=1.5, rows_per_s=100, data='d', model='m')"
    )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_a_failing_notebook_is_named_and_the_others_still_run(project: Project):
    project.add("01_broken", "answer = 41", "raise ValueError('no photos found')")
    project.add_good("02_good")
    project.add_good("03_missed", measured=0.5)
    project.add("04_silent", "print('nothing measured')")

    status, output = project.run()

    assert status == 1
    assert "FAILED 01_broken  cell 3: ValueError: no photos found" in output
    assert "FAILED 03_missed  below its floor: P@5 0.500 < 0.800" in output
    assert "FAILED 04_silent  no score" in output
    assert "FAILED 02_good" not in output
    executed = nbformat.read(project.build / "02_good.ipynb", as_version=4)
    assert executed.cells[1].outputs[0].text == "hello\n"
    assert re.search(r"^02_good +9 +P@5 +0.900 +0.800 ", output, re.MULTILINE), "no scoreboard"


def test_all_good_ends_with_status_0_the_scoreboard_and_the_wall_time(project: Project):
    original = project.add_good("01_good").read_bytes()
    status, output = project.run()
    assert status == 0, output
    assert "P@5      0.900  0.800" in output
    score = json.loads((project.build / "scores" / "01_good.json").read_text())
    assert 0.5 < score["seconds"] < 60
    assert (project.notebooks / "01_good.ipynb").read_bytes() == original
    assert not project.scores.exists()

    status, output = project.run()
    assert status == 0
    assert "01_good  unchanged since it last ran well" in output
    assert "P@5      0.900  0.800" in output, "the scoreboard shows what was measured then"
    assert "01_good  unchanged" not in project.run("--force")[1]
    (project.folder / "helpers").mkdir()
    (project.folder / "helpers" / "new.py").touch()
    assert "01_good  unchanged" not in project.run()[1], "what it uses has changed"

    project.add("01_good", "print('no record any more')")
    status, output = project.run()
    assert status == 1, "the older record passed for a new one"
    assert "FAILED 01_good  no score" in output
    assert "FAILED 01_good  no score" in project.run()[1], "a failed one runs again"


def test_names_choose_with_or_without_folder_and_ending(project: Project):
    project.add("01_broken", "1 / 0")
    path = project.add_good("02_good")
    status, output = project.run("02_good", "02_good.ipynb", str(path))
    assert status == 0, output
    assert output.count("02_good  ") == 2, "one notebook named three ways runs once"
    assert "01_broken" not in output


def test_a_notebook_elsewhere_is_not_taken_for_ours(project: Project):
    project.add_good("02_good")
    status, output = project.run(str(project.folder / "02_good.ipynb"))
    assert status != 0
    assert "There is no notebook" in output


def test_an_unknown_name_lists_the_known_ones(project: Project):
    project.add_good("02_good")
    status, output = project.run("03_missing")
    assert status != 0
    assert "There is no notebook 03_missing; there are: 02_good." in output


def test_no_notebooks_at_all_is_an_error(project: Project):
    status, output = project.run()
    assert status != 0
    assert "There is no notebook in" in output


def test_a_file_that_is_no_notebook_does_not_stop_the_others(project: Project):
    (project.notebooks / "01_conflict.ipynb").write_text("<<<<<<< HEAD\n")
    project.add_good("02_good")
    status, output = project.run()
    assert status == 1
    assert "FAILED 01_conflict  not a readable notebook" in output
    assert (project.build / "02_good.ipynb").exists()


def test_a_bare_assert_is_shown_with_its_line(project: Project):
    project.add("01_assert", "recall = 0.2\nassert recall > 0.9")
    assert "cell 2: AssertionError: assert recall > 0.9" in project.run()[1]


def test_a_notebook_that_hangs_ends_at_its_timeout(project: Project):
    project.add("01_slow", "import time\ntime.sleep(60)")
    status, output = project.run("--timeout", "3")
    assert status == 1
    assert "FAILED 01_slow  cell 2: not finished after 3 s" in output


@pytest.mark.parametrize("seconds", ["nan", "inf", "0", "-5", "soon"])
def test_a_timeout_that_is_none_is_refused(seconds: str, project: Project):
    project.add_good("01_good")
    status, output = project.run("--timeout", seconds)
    assert status == 2
    assert f"argument --timeout: '{seconds}' is not a number of seconds above 0" in output
    assert not project.build.exists()


def test_a_log_that_an_overlapping_run_has_removed_is_not_missed(project: Project):
    log = project.build / "01_good.log"
    project.add("01_good", f"import os\nos.unlink({str(log)!r})", record("01_good"))
    status, output = project.run()
    assert status == 0, output


def test_a_kernel_that_dies_is_reported_with_its_log(project: Project):
    project.add("01_dies", "import os\nos._exit(9)")
    status, output = project.run()
    assert status == 1
    assert "cell 2: the kernel died" in output
    assert (project.build / "01_dies.log").exists()


def of(project: Project) -> list[psutil.Process]:
    """The processes with this project's stores in their environment: kernel, keeper, Redis."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("BOOTCAMP_STORES") == str(project.folder / "stores"):
                found.append(process)
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="reads the environment of other processes")
@pytest.mark.parametrize(
    "stop",
    [
        lambda runner: runner.send_signal(signal.SIGINT),
        lambda runner: os.killpg(runner.pid, signal.SIGINT),  # as a terminal does
        lambda runner: [(runner.send_signal(signal.SIGINT), time.sleep(0.2)) for _ in range(2)],
        lambda runner: runner.send_signal(signal.SIGTERM),
        lambda runner: runner.kill(),
    ],
    ids=["Ctrl-C", "Ctrl-C to the group", "Ctrl-C twice", "SIGTERM", "SIGKILL"],
)
def test_a_stop_leaves_no_kernel_keeper_or_redis(project: Project, stop):
    ready = project.notebooks / "ready"
    project.add(
        "01_slow",
        "import pathlib, time\n"
        "from helpers.connect import connect_milvus, connect_redis\n"
        "connect_milvus('slow').list_collections()\n"
        "connect_redis('slow').set('a', 1)\n"
        "pathlib.Path('ready').touch()\n"
        "while True:\n"
        "    time.sleep(1)",
    )
    project.add_good("02_good")
    process = project.start(start_new_session=True)
    while not ready.exists():
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.1)
    programs = " ".join(word for one in of(project) for word in one.cmdline())
    for program in ("run_notebooks", "ipykernel", "keeper", "redis-server"):
        assert program in programs

    stop(process)

    stopped = time.monotonic()
    while left := [one for one in of(project) if one.status() != psutil.STATUS_ZOMBIE]:
        assert time.monotonic() < stopped + 10, left
        time.sleep(0.1)
    output, _ = process.communicate(timeout=10)
    assert "Traceback" not in output
    assert not (project.build / "02_good.ipynb").exists()
    if process.returncode != -signal.SIGKILL:
        assert process.returncode == 1
        assert "Stopped." in output


def test_a_run_in_the_background_of_a_script_can_be_stopped(project: Project):
    project.add("01_slow", "import time\ntime.sleep(60)")
    # A shell has what it starts with & ignore Ctrl-C.
    process = project.start(preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    assert "01_slow …" in process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=20)
    assert (process.returncode, output) == (1, "\nStopped.\n")


def test_a_terminal_shows_one_line_that_ticks_while_a_cell_works(project: Project):
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, 60, 0, 0))
    path = project.add("01_slow", "import time\ntime.sleep(3.2)", record("01_slow"))
    book = nbformat.read(path, as_version=4)
    book.cells[0].source = "# A title\n\n## Waiting for " + "something " * 9
    nbformat.write(book, path)
    process = project.start(stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # raised at the end
        while piece := os.read(ours, 4096):
            shown += piece
    os.close(ours)
    assert process.wait() == 0, shown
    drawn = shown.decode().split("[1/1]")[1:]
    ticks = [text for text in drawn if "cell 2 of 3" in text]
    assert len({re.search(r"… (\d+) s", text)[1] for text in ticks}) >= 3, "it does not tick"
    for text in drawn[:-1]:
        assert text.endswith("\r\x1b[K") and "\n" not in text, "not drawn over"
        assert len("[1/1]" + text.removesuffix("\r\x1b[K")) < 60, "wider than the terminal"
    assert re.match(r" 01_slow  \d s  ok\r\n", drawn[-1])


def test_a_log_has_a_line_now_and_then_with_cell_heading_and_usual_time(
    monkeypatch, capsys, project: Project
):
    path = project.add("01_long", "one()", "two()")
    monkeypatch.setattr(run_notebooks.scores, "times", lambda: {"01_long": 61.4})
    monkeypatch.setattr(run_notebooks, "LOG_SECONDS", 0.5)
    with run_notebooks.Progress("[1/1] 01_long", path) as progress:
        progress.cell(2, 3)
        time.sleep(0.6)
        for _ in range(50):
            progress.cell(3, 3)
        time.sleep(0.5)
    lines = re.sub(r"… \d+ s", "… 0 s", capsys.readouterr().out).splitlines()
    assert lines == [
        "[1/1] 01_long … usually about 61 s",
        "[1/1] 01_long … 0 s (usually about 61 s), cell 2 of 3, Title",
        "[1/1] 01_long … 0 s (usually about 61 s), cell 3 of 3, Title",
    ]


def test_the_usual_time_is_of_the_last_good_run_here_or_else_of_the_committed_one(project: Project):
    project.add_good("01_good")
    project.add("02_new", "1 / 0")
    committed = {"01_good": {"notebook": "01_good", "seconds": 77.0}}
    project.scores.write_text(json.dumps(committed))
    _, output = project.run()
    assert "[1/2] 01_good … about 77 s in the committed run\n" in output
    assert "[2/2] 02_new …\n" in output, "nothing is known of it"
    _, output = project.run("--force")
    assert re.search(r"01_good … usually about \d s\n", output)
    assert "[2/2] 02_new …\n" in output, "a failed run says nothing of the time"


def test_the_slowest_cells_of_all_notebooks_stand_at_the_end(project: Project):
    pause = "# Wait\nimport time\ntime.sleep({})"
    project.add("01_some", pause.format(3), pause.format(1), "1 + 1")
    project.add("02_more", pause.format(2), "1 / 0", pause.format(9))
    _, output = project.run()
    rows = re.findall(r"^(\d\d_\w+) +(\d+) +(\d)\.\d  Title  # Wait$", output, re.MULTILINE)
    assert rows == [("01_some", "2", "3"), ("02_more", "2", "2"), ("01_some", "3", "1")]


def test_the_table_of_the_slowest_cells_has_ten_and_none_that_took_no_time():
    seconds = [0.3, 12.34, 0.04, *range(20, 30)]
    cells = [run_notebooks.Cell("01_a", n, "Search", "x = 1", s) for n, s in enumerate(seconds, 1)]
    lines = run_notebooks.slowest(cells).splitlines()
    assert re.split("  +", lines[0]) == ["slowest cells", "cell", "seconds", "under", "first line"]
    assert [line.split()[1] for line in lines[1:]] == [str(n) for n in range(13, 3, -1)]
    assert re.split("  +", lines[1]) == ["01_a", "13", "29.0", "Search", "x = 1"]
    assert len(run_notebooks.slowest(cells[:3]).splitlines()) == 3
    assert run_notebooks.slowest(cells[2:3]) == ""


def test_kernels_run_on_this_python_in_the_notebooks_folder(project: Project, monkeypatch):
    # A kernel registered elsewhere on the machine must not be taken.
    decoy = project.folder / "share" / "kernels" / "python3"
    decoy.mkdir(parents=True)
    spec = {"argv": ["/bin/false", "{connection_file}"], "display_name": "x", "language": "python"}
    (decoy / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(decoy.parent.parent))
    cell = "import os, sys\nprint(sys.executable)\nprint(os.getcwd())"
    project.add("01_where", cell, record("01_where"))
    status, output = project.run()
    assert status == 0, output
    executed = nbformat.read(project.build / "01_where.ipynb", as_version=4)
    assert executed.cells[1].outputs[0].text.split("\n")[:2] == [
        sys.executable,
        str(project.notebooks),
    ]


def test_in_place_keeps_only_what_ran_well_and_publishes_its_score(project: Project):
    good = project.add_good("01_good")
    broken = project.add("02_broken", "print('before')", "1 / 0")
    untouched = broken.read_bytes()
    project.scores.write_text(json.dumps({"00_gone": {}, "02_broken": {"notebook": "02_broken"}}))

    assert project.run("--in-place")[0] == 1

    book = nbformat.read(good, as_version=4)
    assert [cell.execution_count for cell in book.cells if cell.cell_type == "code"] == [1, 2]
    assert broken.read_bytes() == untouched
    scores = json.loads(project.scores.read_text())
    assert list(scores) == ["01_good", "02_broken"]
    assert scores["01_good"]["quality"] == {"P@5": [0.9, 0.8]}

    before = good.read_bytes()
    project.run("01_good", "--in-place")
    assert good.read_bytes() == before, "a second run must not change what did not change"


def test_tidy_leaves_what_a_reader_needs():
    widget = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "VBox()"}
    picture = {**widget, "image/png": "iVBORw0KGgo="}
    outputs = [
        new_output("stream", name="stdout", text="10%|# \r50"),
        new_output("stream", name="stdout", text="%|## \rdone\n"),
        new_output("stream", name="stderr", text="  3/9\r"),
        new_output("display_data", data=widget),
        new_output("display_data", data=picture),
        new_output("stream", name="stdout", text="after"),
    ]
    cell = new_code_cell(
        "x",
        outputs=outputs,
        metadata={"execution": {"iopub.execute_input": "12:00"}, "tags": ["t"]},
    )
    book = new_notebook(
        cells=[cell], metadata={"widgets": {}, "kernelspec": {"name": "mine", "display_name": "M"}}
    )

    run_notebooks.tidy(book)

    assert book.metadata.kernelspec.name == "python3"
    assert "widgets" not in book.metadata
    assert cell.metadata == {"tags": ["t"]}
    assert [output.get("text") for output in cell.outputs] == ["done\n", None, "after"]
    assert set(cell.outputs[1].data) == {"image/png", "text/plain"}
