"""The workflows: valid by GitHub's schema, what they run is there, and they may only read."""

import re
import subprocess
import sys
from pathlib import Path

import newest
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))

each = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def validate(path):
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema"]
    return subprocess.run(
        [*command, "vendor.github-workflows", path], capture_output=True, text=True, check=False
    )


@each
def test_it_meets_the_schema(path):
    result = validate(path)
    assert result.returncode == 0, result.stdout


def test_the_schema_is_really_asked(tmp_path):
    bad = tmp_path / "bad.yml"
    bad.write_text(FILES[0].read_text(encoding="utf-8").replace("runs-on:", "runs_on:"))
    assert validate(bad).returncode == 1


@each
def test_it_may_only_read_and_ends(path):
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    assert all(0 < job["timeout-minutes"] <= 120 for job in workflow["jobs"].values())


@each
def test_what_it_calls_is_there(path):
    text = path.read_text(encoding="utf-8")
    targets = re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"))
    called = re.findall(r"\brun: make ([\w-]+)", text)
    assert called and set(called) <= set(targets)
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    for names in re.findall(r"docker compose up --detach --wait (.*)", text):
        assert set(names.split()) <= set(services)
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    for name in re.findall(r"s/\^(\w+)=", text):
        assert f"\n{name}=" in example


def test_each_python_that_the_project_names_is_tried():
    matrix = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text())["jobs"]["test"]
    tried = {
        (one["os"].split("-")[0], one["python"]) for one in matrix["strategy"]["matrix"]["include"]
    }
    assert {("ubuntu", "3.11"), ("ubuntu", "3.12"), ("ubuntu", "3.13"), ("macos", "3.12")} == tried


def test_the_report_on_the_newest_versions_is_kept_whatever_happens():
    workflow = yaml.safe_load((ROOT / ".github/workflows/newest.yml").read_text())
    steps = workflow["jobs"]["newest"]["steps"]
    run, show, keep = steps[-3:]
    assert run["run"].startswith("make newest")
    assert run["timeout-minutes"] < workflow["jobs"]["newest"]["timeout-minutes"]
    assert show["if"] == keep["if"] == "always()"
    report = (newest.BUILD / "report.md").relative_to(ROOT).as_posix()
    assert keep["with"]["path"] == report
    assert report in show["run"]
