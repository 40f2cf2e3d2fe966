"""FiftyOne and its database: a real MongoDB, started, refused, and never left behind."""

import contextlib
import os
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from helpers.errors import ServiceError
from helpers.paths import cache_dir
from helpers.scenarios.fiftyone_app import setup
from helpers.scenarios.fiftyone_app.setup import (
    prepare_fiftyone,
    run_python,
    running_databases,
    stop_database,
)
from tests.services_world import finished, refusal, running

pytest_plugins = ["tests.services_world"]
PATIENCE = 300  # seconds for MongoDB to write what it holds and end, on a busy computer
START = """
from helpers.scenarios.fiftyone_app.setup import prepare_fiftyone
prepare_fiftyone("fiftyone")
import fiftyone
from fiftyone.core.service import ServiceListenTimeout
try:
    print(fiftyone.list_datasets())
except ServiceListenTimeout:
    raise SystemExit("too busy")
"""
TRIES = 5  # FiftyOne waits a minute for MongoDB, which a busy computer may not start so soon


@pytest.fixture(autouse=True)
def bare(stores, monkeypatch):
    """No setting of FiftyOne's in the environment, none left there, and FiftyOne not imported."""
    for name in [name for name in os.environ if name.startswith("FIFTYONE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.delitem(sys.modules, "fiftyone", raising=False)
    return stores


@pytest.fixture
def alone():
    """Some seconds in which nobody else's FiftyOne runs, since it would be joined."""
    ends = time.monotonic() + 30
    while running_databases():
        if time.monotonic() > ends:
            pytest.skip("another FiftyOne of this user is running; its database would be used")
        time.sleep(0.5)


def databases_in(folder):
    """The processes that serve a MongoDB from below a folder."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if any(part.startswith(str(folder)) for part in process.info["cmdline"] or []):
            found.append(process)
    return found


def gone(folder):
    """Wait for the processes that serve a MongoDB from below a folder to end; whether they did."""
    return not psutil.wait_procs(databases_in(folder), timeout=PATIENCE)[1]


@contextlib.contextmanager
def started(code, stores):
    """Run code that starts FiftyOne until it prints "ready", as ``running`` does."""
    with contextlib.ExitStack() as stack:
        for left in reversed(range(TRIES)):
            try:
                stack.enter_context(running(code))
                break
            except pytest.fail.Exception as said:
                if not left or "too busy" not in str(said) or not gone(stores):
                    raise
        yield


def ended(code, stores):
    """Run code that starts FiftyOne to its end, as ``finished`` does."""
    for _ in range(TRIES):
        done = finished(code)
        if "too busy" not in done.stderr or not gone(stores):
            break
    return done


@contextlib.contextmanager
def server(port, folder):
    """A MongoDB without users at a port."""
    mongod = setup._bin_folder() / "mongod"
    folder.mkdir()
    process = subprocess.Popen(
        [mongod, "--dbpath", folder, "--port", str(port), "--bind_ip", "127.0.0.1"],
        stdout=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def test_no_database_is_left_however_the_process_ends(alone, stores, tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("BOOTCAMP_CACHE", str(cache_dir()))  # else it would be below the home folder
    monkeypatch.setenv("HOME", str(home))
    killed = START + "print('ready', flush=True); input()"
    ours = stores / "fiftyone" / "mongodb"
    with started(killed, stores):  # an empty store; and killed at the end of this block
        if set(running_databases()) - {ours}:
            pytest.skip("another FiftyOne of this user was started meanwhile and has been joined")
        assert running_databases() == [ours] and databases_in(stores)
    assert gone(stores)
    failed = ended(START + "raise SystemExit('an error')", stores)  # in the store that is there
    assert "MongoDB 6" in failed.stdout and failed.stderr.strip() == "an error"
    assert gone(stores)
    # FiftyOne keeps settings and data below the home folder, unless it is told otherwise.
    assert not [path.name for path in home.iterdir() if "fiftyone" in path.name]


def test_settings_are_made_and_those_of_the_reader_kept(stores, monkeypatch, capsys):
    monkeypatch.setenv("FIFTYONE_SHOW_PROGRESS_BARS", "true")
    prepare_fiftyone("fiftyone")
    assert os.environ["FIFTYONE_DO_NOT_TRACK"] == "true"
    assert os.environ["FIFTYONE_DATABASE_NAME"] == "bootcamp_fiftyone"
    assert os.environ["FIFTYONE_DATABASE_DIR"] == str(stores / "fiftyone" / "mongodb")
    assert os.environ["FIFTYONE_SHOW_PROGRESS_BARS"] == "true"
    assert "data in" in capsys.readouterr().out
    prepare_fiftyone("fiftyone")  # the cell is run a second time


def test_imported_before_with_other_settings(stores, monkeypatch):
    config = SimpleNamespace(database_dir="elsewhere")
    fiftyone = SimpleNamespace(config=config, __spec__=find_spec("fiftyone"))
    monkeypatch.setitem(sys.modules, "fiftyone", fiftyone)
    assert "restart the kernel" in refusal(prepare_fiftyone, "fiftyone")
    fiftyone.config.database_dir = str(stores / "fiftyone" / "mongodb")
    prepare_fiftyone("fiftyone")


def test_a_database_of_the_readers_own(stores, closed_port, tmp_path, monkeypatch, capsys):
    address = f"127.0.0.1:{closed_port}"
    monkeypatch.setenv("FIFTYONE_DATABASE_URI", f"mongodb://me:secret@{address}")
    monkeypatch.setattr(setup, "CONNECT_SECONDS", 1)
    said = refusal(prepare_fiftyone, "fiftyone")
    assert f"No MongoDB answers at {address}" in said and "secret" not in said
    monkeypatch.setattr(setup, "CONNECT_SECONDS", 30)
    with server(closed_port, tmp_path / "data"):
        said = refusal(prepare_fiftyone, "fiftyone")
        assert f"{address} refuses (AuthenticationFailed)" in said and "secret" not in said
        monkeypatch.setenv("FIFTYONE_DATABASE_URI", f"mongodb://{address}")
        prepare_fiftyone("fiftyone")
        assert f"with MongoDB 6.0.5 at {address}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "uri", ["localhost", "http://localhost:1", "mongodb://", "mongodb://me:se/cret@host"]
)
def test_what_is_no_address(uri, monkeypatch):
    monkeypatch.setenv("FIFTYONE_DATABASE_URI", uri)
    said = refusal(prepare_fiftyone, "fiftyone")
    assert "is not the address of a MongoDB" in said and "cret" not in said


@pytest.fixture
def empty_bin(tmp_path, monkeypatch):
    """FiftyOne's folder for MongoDB, as it is where MongoDB could not be downloaded."""
    folder = tmp_path / "bin"
    monkeypatch.setattr(setup, "_bin_folder", lambda: folder)
    return folder


def test_no_mongodb_for_this_computer(empty_bin, monkeypatch):
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    said = refusal(prepare_fiftyone, "fiftyone")
    assert "Darwin" in said and "FIFTYONE_DATABASE_URI" in said and "fiftyone-db" in said


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (
            "#!/bin/sh\necho 'mongod: error: libcurl.so.4: cannot open' >&2\nexit 127",
            "libcurl.so.4",
        ),
        ("#!/bin/sh\nexit 132", "status 132"),
        ("not a program", "Exec format error"),
    ],
)
def test_a_mongodb_that_does_not_run(program, reason, empty_bin):
    empty_bin.mkdir()
    (empty_bin / "mongod").write_text(program)
    (empty_bin / "mongod").chmod(0o755)
    said = refusal(prepare_fiftyone, "fiftyone")
    assert "does not run here" in said and reason in said


def test_a_database_that_runs_already_is_named(stores, monkeypatch, capsys):
    monkeypatch.setattr(setup, "running_databases", lambda: [Path("/somewhere/else/db")])
    prepare_fiftyone("fiftyone")
    assert "another FiftyOne that is running, data in else/db" in capsys.readouterr().out


def test_a_database_in_use_elsewhere_is_not_taken_for_stopped(stores, monkeypatch):
    folder = stores / "fiftyone" / "mongodb"
    monkeypatch.setattr(setup, "running_databases", lambda: [folder])
    monkeypatch.setattr(setup, "STOP_SECONDS", 0.5)
    database = SimpleNamespace(_db_service=None, _disconnect=lambda: None)
    monkeypatch.setitem(sys.modules, "fiftyone", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "fiftyone.core", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "fiftyone.core.odm", SimpleNamespace(database=database))
    assert "close the App" in refusal(stop_database, "fiftyone")


def test_code_that_fails_elsewhere_says_why():
    with pytest.raises(ServiceError, match="ZeroDivisionError: division by zero$"):
        run_python("1 / 0", {})
