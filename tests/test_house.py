"""The rule of the house: the core knows no scenario, and a scenario only the core and itself."""

import ast
import re
from pathlib import Path

import pytest

from helpers.paths import ROOT

HELPERS = ROOT / "helpers"
FILES = sorted(HELPERS.rglob("*.py"))
# A photo's objects are found by the detector of the videos.
EXCEPTIONS = {("fiftyone_app", "video")}


def scenario_of(module: str) -> str:
    """The scenario a dotted module name lies in; empty for the core."""
    found = re.match(r"helpers\.scenarios\.(\w+)", module)
    return found[1] if found else ""


def imported(source: str) -> set[str]:
    """The modules that a source imports, and those it names in strings to load them later."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names |= set(re.findall(r"helpers\.scenarios\.\w+", node.value))
    return names


def trespasses(module: str, source: str) -> list[str]:
    """What a module imports that it must not, by the rule of the house."""
    own = scenario_of(module)
    others = {scenario_of(name) for name in imported(source)} - {"", own}
    return sorted(other for other in others if (own, other) not in EXCEPTIONS)


def module_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts)


@pytest.mark.parametrize("file", FILES, ids=module_of)
def test_no_room_reaches_into_another(file):
    assert trespasses(module_of(file), file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "from helpers.scenarios.audio.sounds import Sound",
        "import helpers.scenarios.audio.sounds",
        "from helpers.scenarios.audio import sounds",
        "def load():\n    from helpers.scenarios.audio import sounds",
        "MODULES = {'aisfx': 'helpers.scenarios.audio.encoder'}",
    ],
)
def test_a_trespass_is_seen(source):
    assert trespasses("helpers.ingest", source) == ["audio"]
    assert trespasses("helpers.scenarios.video.clips", source) == ["audio"]
    assert trespasses("helpers.scenarios.audio.players", source) == []


def test_the_core_is_small_enough_to_read():
    core = [file for file in FILES if file.parent == HELPERS]
    lines = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in core)
    assert len(core) <= 16 and lines <= 2_110, (len(core), lines)


def test_tests_mirror_the_rooms():
    """A test file lies in the folder of what it tests."""
    rooms = {file.parent.relative_to(HELPERS) for file in FILES}
    for test in (ROOT / "tests").rglob("test_*.py"):
        room = test.parent.relative_to(ROOT / "tests")
        assert room in rooms or room.name in ("apps", "notebooks", "tools"), test
