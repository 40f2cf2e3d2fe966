"""tools/newest.py on a tiny project, as a user starts it, and what it installs."""

import os
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import lock
import nbformat
import newest
import pytest
from nbformat.v4 import new_code_cell, new_notebook

ROOT = Path(__file__).resolve().parents[2]
NUMPY = version("numpy")
LINES = f"numpy=={NUMPY}\npandas=={version('pandas')}\n"
# As the real one, but it asks no index.
LOCK = f"""
from pathlib import Path
ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "locks"
def resolve(requirements, *options):
    assert "==" not in requirements.read_text()
    return "numpy==99.0\\n" if "--no-deps" in options else {LINES!r}
"""
RECORD = (
    "from helpers import scoreboard\n"
    "scoreboard.record('{}', rows=9, quality={{'P@5': (0.9, 0.8)}}, recall=1.0,\n"
    "                  search_ms=1.5, rows_per_s=100, data='d', model='m')"
)


class Project:
    """A throw-away project whose environment is the one of these tests."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.build = folder / "build" / "newest"
        for name in ("tools", "locks", "notebooks", "tests/apps", "helpers"):
            (folder / name).mkdir(parents=True)
        for name in ("newest", "run_notebooks", "choice", "scores", "engines"):
            shutil.copy(ROOT / "tools" / f"{name}.py", folder / "tools")
        self.write("tools/lock.py", LOCK)
        self.write("helpers/assets.py", "")
        self.write("pytest.ini", "[pytest]\ntestpaths = tests\nmarkers = browser")
        self.write(
            "conftest.py",
            "def pytest_collection_modifyitems(config, items):\n"
            "    if 'browser' not in config.option.markexpr:\n"
            "        items[:] = [one for one in items if not one.get_closest_marker('browser')]\n",
        )
        self.write("requirements.txt", "numpy==1.0\n")
        self.write("locks/wheels.txt", f"numpy==1.0 \\\n    --hash=x\n{LINES.splitlines()[1]}\n")
        self.write("build/newest/installed.txt", LINES)
        self.write("build/newest/environment/bin/python", f'#!/bin/sh\nexec {sys.executable} "$@"')
        (self.build / "environment" / "bin" / "python").chmod(0o700)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def add(self, name: str, *cells: str) -> None:
        book = new_notebook(cells=[new_code_cell(cell) for cell in cells])
        nbformat.write(book, self.folder / "notebooks" / f"{name}.ipynb")

    def run(self, *arguments: str) -> tuple[int, dict[str, list[str]]]:
        """The exit status, and the rows of the report by package."""
        command = [sys.executable, self.folder / "tools" / "newest.py", *arguments]
        quick = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        run = subprocess.run(command, env=quick, capture_output=True, text=True)
        report = (self.build / "report.md").read_text()
        assert run.stdout.endswith(report + "\n"), run.stdout + run.stderr
        rows = [line[2:-2].split(" | ") for line in report.splitlines() if line[:2] == "| "]
        self.report = report
        return run.returncode, {row[0]: row[1:] for row in rows[1:]}


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path / "project")


def test_what_breaks_is_named_with_the_package_it_comes_from(project):
    project.write("tests/test_good.py", "def test_it():\n    pass\n")
    project.write(
        "tests/test_bad.py",
        "import numpy\n\n"
        "def test_first():\n    numpy.load('none.npy')\n\n"
        "def test_second():\n    numpy.load('none.npy')\n",
    )
    project.write("tests/test_own.py", "def test_it():\n    assert 1 == 2\n")
    project.write("tests/test_old.py", "import pandas\n\ndef test_it():\n    pandas.Series().x\n")
    project.write("tests/test_broken.py", "import nothing_of_this_name\n")
    project.write(
        "tests/apps/test_app.py",
        "import pytest\n\n@pytest.mark.browser\ndef test_app():\n    raise OSError('a | b')\n",
    )
    project.add("01_bad", "import numpy\nnumpy.load('none.npy')")
    project.add("02_low", RECORD.format("02_low").replace("0.9", "0.7"))
    status, rows = project.run()
    assert status == 1
    assert list(rows) == ["numpy", "unknown"]
    pinned, new, broken = rows["numpy"]
    assert (pinned, new) == ("1.0", f"99.0 (tried: {NUMPY})")
    test, notebook = broken.split("<br>")
    assert test.startswith("tests/test_bad.py: test_first: FileNotFoundError")
    assert notebook.startswith("01_bad: cell 1: FileNotFoundError")
    assert [line.partition(":")[0] for line in rows["unknown"][-1].split("<br>")] == [
        "tests/test_broken.py",
        "tests/test_old.py",
        "tests/test_own.py",
        "02_low",
        "tests/apps/test_app.py",
    ]
    assert "ModuleNotFoundError: No module named 'nothing_of_this_name'" in project.report
    assert "02_low: below its floor: P@5 0.700 < 0.800" in project.report
    assert "4 of 4 parts run" in project.report


def test_only_what_is_named_runs(project):
    project.add("01_bad", "1 / 0")
    project.add("02_good", RECORD.format("02_good"))
    project.write("tests/test_a.py", "def test_it():\n    raise OSError\n")
    project.write("tests/test_b.py", "def test_it():\n    pass\n")
    assert project.run("02_good", "--tests", "tests/test_b.py")[0] == 0
    assert "2 of 2 parts run" in project.report
    status, rows = project.run("--tests")
    assert status == 0 and "0 of 0 parts" in project.report
    assert rows == {"numpy": ["1.0", f"99.0 (tried: {NUMPY})", ""]}
    assert project.run("--tests", "tests/test_a.py")[0] == 1


def test_tests_that_end_without_a_result_are_no_success(project):
    project.write("tests/test_crash.py", "import os\n\ndef test_it():\n    os._exit(7)\n")
    status, rows = project.run("--tests", "tests/test_crash.py")
    assert status == 1
    assert rows["unknown"][-1] == "pytest: it ended with status 7"
    status, rows = project.run("--tests", "tests/none.py")
    assert status == 1
    assert rows["unknown"][-1] == "pytest: it ended with status 4"


def test_servers_of_the_user_are_left_alone(project, monkeypatch):
    monkeypatch.setenv("MILVUS_URI", "http://elsewhere:19530")
    project.write(
        "tests/test_a.py",
        "import os\n\ndef test_it():\n"
        "    assert 'MILVUS_URI' not in os.environ\n"
        f"    assert os.environ['BOOTCAMP_STORES'] == {str(project.build / 'stores')!r}\n",
    )
    assert project.run("--tests", "tests/test_a.py")[0] == 0


def test_an_unknown_notebook_is_refused_before_anything_is_installed(project):
    project.add("01_good", "1")
    command = [sys.executable, project.folder / "tools" / "newest.py", "02_none"]
    refused = subprocess.run(command, capture_output=True, text=True)
    assert refused.returncode == 2
    assert "there is no notebook 02_none; there are: 01_good" in refused.stderr
    assert not (project.build / "requirements.txt").exists()


def test_a_package_is_blamed_only_where_it_can_be():
    owners = {"shop": ["Shop_Keeper"], "google": ["google-a", "google-b"], "old": ["old"]}
    changed = {"shop-keeper", "google-a", "google-b"}

    def blame(*places):
        return newest.blame("\n".join(f'File "/x/{place}"' for place in places), owners, changed)

    assert blame("site-packages/old/a.py", "site-packages/shop/b.py", "tests/c.py") == "shop-keeper"
    assert blame("site-packages/shop.py:3") == "shop-keeper"
    assert blame("site-packages/shop/b.py", "site-packages/old/a.py") == "unknown"
    assert blame("site-packages/google/a.py") == "unknown"
    assert blame("tests/c.py") == blame() == blame("site-packages/none.py") == "unknown"


def test_extras_and_markers_stay(tmp_path, monkeypatch):
    asked = []

    def resolve(requirements, *options):
        asked.append((requirements.read_text(), options, os.environ.get("UV_CONSTRAINT")))
        return "a[x]==2.0 ; python_version < '3.13'\nb-c==3\n"

    monkeypatch.setattr(newest, "ROOT", tmp_path)
    monkeypatch.setattr(newest, "BUILD", tmp_path / "build")
    monkeypatch.setattr(lock, "resolve", resolve)
    monkeypatch.setenv("UV_CONSTRAINT", "limits.txt")
    (tmp_path / "build").mkdir()
    (tmp_path / "requirements.txt").write_text('a[x]==1.0; python_version < "3.13"\nb-c==1.0\n')
    _, alone = newest.resolve_newest()
    assert alone == {"a": "2.0", "b-c": "3"}
    (text, together, limits), (_, single, none) = asked
    assert text == 'a[x]; python_version < "3.13"\nb-c\n'
    assert together == ("--python", sys.executable) and limits == "limits.txt"
    assert single[-1] == "--no-deps" and none is None


@pytest.mark.parametrize("cpu", [True, False])
def test_the_cpu_build_of_pytorch_is_taken_where_there_is_one(tmp_path, monkeypatch, cpu):
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for name in ("torch-2.0", "shop-1.0", "nvidia_x-1.0", *(["torch-2.0+cpu"] if cpu else [])):
        make_wheel(wheels, *name.split("-"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setattr(newest, "BUILD", tmp_path)
    monkeypatch.setattr(newest, "ENVIRONMENT", tmp_path / "environment")
    python = tmp_path / "environment" / "bin" / "python"
    monkeypatch.setattr(newest, "PYTHON", python)
    monkeypatch.setattr(newest, "PIP", [python, *newest.PIP[1:]])
    lines = "torch==2.0\nnvidia-x==1.0\nshop==1.0\n"
    newest.install(lines)
    infos = (tmp_path / "environment").glob("lib/*/site-packages/*.dist-info")
    installed = {info.stem for info in infos if not info.stem.startswith(("pip-", "setuptools-"))}
    torch = {"torch-2.0+cpu"} if cpu else {"torch-2.0", "nvidia_x-1.0"}
    assert installed == {"shop-1.0"} | torch
    assert subprocess.run([python, "-c", "import helpers"], cwd=tmp_path).returncode == 0
    # The same versions are not installed again, others are.
    shutil.rmtree(wheels)
    newest.install(lines)
    with pytest.raises(subprocess.CalledProcessError):
        newest.install("torch==2.0\nshop==1.1\n")
    assert not (tmp_path / "installed.txt").exists()


def make_wheel(folder: Path, name: str, number: str) -> None:
    """A wheel with nothing in it."""
    info = f"{name}-{number}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{number}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {number}"
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any"
        )
        wheel.writestr(f"{info}/RECORD", "")
