"""tools/run_notebooks.py on tiny notebooks, as a user starts it."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
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

    def start(self, *arguments: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, self.folder / "tools" / "run_notebooks.py", *arguments],
            env=os.environ | {"BOOTCAMP_BUILD": str(self.build)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
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


def test_ctrl_c_stops_the_whole_run(project: Project):
    pid = project.notebooks / "pid"
    cell = (
        "import os, pathlib, time\npathlib.Path('pid').write_text(str(os.getpid()))\ntime.sleep(60)"
    )
    project.add("01_slow", cell)
    project.add_good("02_good")
    process = project.start()
    while not (pid.exists() and pid.read_text()):
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "Stopped." in output
    assert "Traceback" not in output
    assert not (project.build / "02_good.ipynb").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


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
