"""The locks: everything that is installed is pinned, with hashes, and nothing says where from."""

import re

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from helpers.paths import ROOT

LOCKS = {path.name: path.read_text() for path in sorted((ROOT / "locks").glob("*.txt"))}
HASH = r" \\\n    --hash=sha256:[0-9a-f]{64}"


def entries(text: str) -> dict[str, Requirement]:
    found = map(Requirement, re.findall(r"^(\w[^\\\n]+)", text, re.M))
    return {canonicalize_name(one.name): one for one in found}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_is_pins_with_hashes_and_nothing_else(name):
    kind = "no-binary" if name == "source.txt" else "only-binary"
    head = rf"# Made by [^\n]+\n--require-hashes\n--{kind} :all:\n"
    assert re.fullmatch(rf"{head}(\w[\w.-]*==[^\n]+?({HASH})+\n)+", LOCKS[name])
    assert "://" not in LOCKS[name]


def test_only_what_has_no_wheel_is_built_here():
    assert list(entries(LOCKS["source.txt"])) == ["glob2"]


def test_the_locks_have_what_the_project_asks_for():
    locked = {}
    for name in ("wheels.txt", "source.txt", "torch.txt"):
        locked |= entries(LOCKS[name])
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        wanted = Requirement(line)
        assert locked[canonicalize_name(wanted.name)].specifier == wanted.specifier
    (cpu,) = entries(LOCKS["torch-cpu.txt"]).values()
    assert str(cpu.specifier) == f"{locked['torch'].specifier}+cpu"
