"""tools/on_server.py: what counts as right there, what is published, and the README's table.

.ci/run has it run notebooks.
"""

import json
import os
import subprocess
import sys

import on_server
import pytest

from helpers.engines import server
from helpers.paths import ROOT

NO_TEXT = "cell 4: HelpfulError: This Milvus has no full-text search: use 2.5 or later."
TWO = "cell 5: HelpfulError: This Milvus takes one vector a row: use 2.4 or later."


def report(**problems):
    return {
        "versions": {"server": "Milvus 2.3.5", "Redis": "6.2.14", "pymilvus": "3.0.2"},
        "can": {"group by": "no"},
        "notebooks": {
            name.lstrip("n"): {"problem": problem, "ways": ["cell 4: as bits"]}
            for name, problem in problems.items()
        },
    }


@pytest.mark.parametrize(
    ("name", "problem", "is_wrong"),
    [
        ("n01_image_search", "", False),
        ("n01_image_search", "cell 3: AssertionError: no message", True),
        ("n09_text_search", NO_TEXT, False),
        ("n09_text_search", "", True),
        ("n09_text_search", "cell 9: MilvusException: no such function", True),
        ("n10_multimodal_search", TWO, False),
        ("n10_multimodal_search", NO_TEXT, True),
    ],
)
def test_what_this_server_is_too_old_for_has_to_stop_with_its_sentence(name, problem, is_wrong):
    assert list(on_server.judge(report(**{name: problem}))) == [name.lstrip("n")] * is_wrong


def test_the_sentences_are_those_of_the_notebooks():
    for name, sentence in on_server.STOPS.items():
        text = (ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8")
        assert sentence.removeprefix("HelpfulError: ") in text


def test_what_is_published_joins_what_was(tmp_path, monkeypatch):
    readme, runs = tmp_path / "README.md", tmp_path / "servers.json"
    readme.write_text("before\n<!-- servers:start -->\nold\n<!-- servers:end -->\nafter\n")
    kept = {"engines": "Milvus 2.3.5", "day": "2026-01-02", "says": ["ran"]}
    runs.write_text(json.dumps({"02_video_search": kept, "00_start_here": kept}))
    monkeypatch.setattr(on_server, "README", readme)
    monkeypatch.setattr(on_server, "RUNS", runs)
    now = report(n01_image_search="", n09_text_search=NO_TEXT)
    on_server.publish(now, ["01_image_search", "09_text_search"])
    assert list(json.loads(runs.read_text())) == [
        "00_start_here",
        "01_image_search",
        "02_video_search",
        "09_text_search",
    ]
    text = readme.read_text()
    assert text.startswith("before\n<!-- servers:start -->\n| notebook |")
    assert text.endswith("<!-- servers:end -->\nafter\n") and "old" not in text
    assert "| ran; cell 4: as bits |" in text
    assert "| stops in cell 4: This Milvus has no full-text search: use 2.5 or later.;" in text
    assert "| 02_video_search | Milvus 2.3.5 | 2026-01-02 | ran |" in text
    assert "| 12_benchmark |  |  | not run |" in text


def test_the_readme_has_the_table_of_the_records():
    runs = json.loads(on_server.RUNS.read_text(encoding="utf-8"))
    readme = on_server.README.read_text(encoding="utf-8")
    assert runs and on_server.fill(readme, "servers", on_server.table(runs)) == readme, (
        "run tools/on_server.py --publish"
    )
    for run in runs.values():
        assert "Milvus 2.3.5" in run["engines"] and run["says"]


def started(*arguments):
    """The tool where there is no unshare on the PATH."""
    command = [sys.executable, ROOT / "tools" / "on_server.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PATH": ""})


@pytest.mark.skipif(server.is_private(), reason="this network is private already")
def test_without_a_network_of_its_own_it_says_so_and_stops():
    stopped, skipped = started("01_image_search"), started("--where-possible", "01_image_search")
    for done in (stopped, skipped):
        assert done.stdout.startswith("No notebook was run on servers:") and not done.stderr
    assert (stopped.returncode, skipped.returncode) == (1, 0)
