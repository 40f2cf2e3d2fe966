"""tools/sources.py on a folder of wheels and a web server of this computer."""

import re

import pytest
import sources

from helpers import assets
from tests.fetching.assets_world import (
    DATA,
    DEAD,
    contents,
    describe,
    make_wheel,
    url_source,
    wheel_source,
)

pytest_plugins = ["tests.fetching.assets_world"]


@pytest.fixture
def run(world, monkeypatch, capsys):
    """Run the command; its status, the rows of its table, and all that it printed."""
    monkeypatch.setenv("PIP_RETRIES", "5")  # which the command sets, and which ends with the test

    def call(*names: str) -> tuple[int, list[list[str]], str]:
        monkeypatch.setattr("sys.argv", ["sources.py", *names])
        status = sources.main()
        output = capsys.readouterr().out
        table = output.split("\n\n")[1].splitlines()
        return status, [re.split(r"  +", line) for line in table[1:]], output

    return call


def test_each_source_is_tried_and_nothing_is_kept(world, server, run, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(world / "temporary"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (world / "temporary").mkdir()
    make_wheel(world / "wheels", {"carrier/data.bin": DATA})
    server.files["/right"] = DATA
    describe(wheel_source(), url_source(f"{server.url}/right"), url_source(f"{DEAD}/thing"))
    status, rows, output = run()
    assert rows == [
        ["thing", "carrier==1.0", "right"],
        ["", "127.0.0.1", "right"],
        ["", "127.0.0.1", "no answer: no connection, or it broke off"],
    ]
    assert "3 sources of 1 assets: 2 right, 1 without an answer, 0 at fault. 0 assets" in output
    assert status == 0, "what cannot be reached is no fault of the file"
    assert contents() == set()
    assert list((world / "temporary").iterdir()) == []


@pytest.mark.parametrize(
    ("member", "verdict"),
    [
        ({"carrier/data.bin": b"x" * len(DATA)}, "FAULT: expected sha256"),
        ({"carrier/data.bin": DATA * 2}, "FAULT: it holds more than the"),
        ({"carrier/other.bin": DATA}, "FAULT: the wheel has no carrier/data.bin"),
        (None, "FAULT: the index has no wheel of it"),
    ],
    ids=["other bytes", "too large", "no such member", "no such wheel"],
)
def test_a_wheel_that_is_gone_or_another_is_at_fault(world, run, member, verdict):
    if member:
        make_wheel(world / "wheels", member)
    describe(wheel_source())
    status, [row], output = run()
    assert row[:2] == ["thing", "carrier==1.0"] and row[2].startswith(verdict)
    assert row[3] == "one source only"
    assert "1 at fault. 1 assets have one source only." in output
    assert status == 1


def test_another_version_in_the_index_does_not_stand_in_for_the_pinned_one(world, run):
    make_wheel(world / "wheels", {"carrier/data.bin": DATA}, version="2.0")
    describe(wheel_source())
    status, [row], _ = run()
    assert row[2].startswith("FAULT: the index has no wheel of it")
    assert status == 1


def test_an_index_that_cannot_be_reached_is_no_fault_even_if_pip_is_not_to_retry(
    world, run, monkeypatch
):
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", f"{DEAD}/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    describe(wheel_source())
    status, [row], _ = run()
    assert row[2] == "no answer: the index could not be reached"
    assert status == 0


@pytest.mark.parametrize(
    ("answer", "verdict", "expected"),
    [
        (b"x" * len(DATA), "FAULT: expected sha256", 1),
        (DATA + b"x", "FAULT: it sent more than the", 1),
        (404, "FAULT: it answered 404", 1),
        (410, "FAULT: it answered 410", 1),
        (403, "no answer: it answered 403", 0),
        (503, "no answer: it answered 503", 0),
    ],
)
def test_an_address_is_at_fault_if_it_answers_without_the_file(
    world, server, run, answer, verdict, expected
):
    if isinstance(answer, int):
        server.statuses["/thing"] = answer
    else:
        server.files["/thing"] = answer
    describe(url_source(f"{server.url}/thing"))
    status, [row], _ = run()
    assert row[2].startswith(verdict)
    assert status == expected


def test_a_fault_of_one_source_shows_in_the_status_whatever_the_others_give(world, server, run):
    server.files["/right"] = DATA
    describe(*[url_source(f"{server.url}/{name}") for name in ("right", "gone", "right")])
    status, rows, _ = run()
    assert [row[2] for row in rows] == ["right", "FAULT: it answered 404", "right"]
    assert status == 1


def test_a_file_without_a_known_sha256_is_said_to_be_there(world, server, run):
    server.files["/thing"] = DATA
    source = url_source(f"{server.url}/thing")
    del source["sha256"]
    describe(source)
    status, [row], output = run()
    assert row[2].startswith("there, but no sha256 is known for it; got ")
    assert "0 right, 0 without an answer, 0 at fault" in output
    assert status == 0


def test_names_choose_and_an_unknown_one_is_refused(world, server, run):
    server.files["/right"] = DATA
    describe(url_source(f"{server.url}/right"))
    more = assets.CATALOGUE.read_text().replace("thing", "other").replace("/right", "/gone")
    assets.CATALOGUE.write_text(assets.CATALOGUE.read_text() + more)
    status, rows, _ = run("thing")
    assert (status, [row[0] for row in rows]) == (0, ["thing"])
    assert [row[0] for row in run()[1]] == ["thing", "other"]
    with pytest.raises(SystemExit, match="There is no asset nothing; there are: thing, other"):
        run("nothing")
