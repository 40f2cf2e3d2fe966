"""The Milvus server that a wheel carries: all its tests, where nobody else can reach it."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.engines import server
from helpers.paths import ROOT
from tests.services_world import refusal

PROGRAMS = [
    Path(__file__).with_name(name)
    for name in ("server_program.py", "server_tls_program.py", "server_move_program.py")
]


@pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"),
    reason="the package index has a Milvus server for Linux on x86_64 only",
)
def test_a_real_server_in_a_network_of_its_own():
    server.install_server()  # In there is no way to the package index.
    command = server.private_network([sys.executable, "-m", "pytest", "-p", "no:cacheprovider"])
    if command[0] == sys.executable:
        pytest.skip("this system lets no user make a network of their own")
    done = subprocess.run([*command, *PROGRAMS], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "skipped" not in done.stdout


@pytest.mark.parametrize("value", ["", "0", "no"])
def test_in_an_open_network_the_server_is_not_started(value, tmp_path, monkeypatch):
    monkeypatch.setenv(server.OPEN_PORTS, value)
    monkeypatch.setattr(server, "is_private", lambda: False)
    start = server.running_server(tmp_path / "data")
    assert "ports on all addresses" in refusal(start.__enter__)
    assert not (tmp_path / "data").exists()


def test_open_ports_are_warned_of(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(server.OPEN_PORTS, "1")
    monkeypatch.setattr(server, "is_private", lambda: False)
    monkeypatch.setattr("platform.machine", lambda: "riscv64")  # So that none is started.
    assert "on x86_64 only" in refusal(server.running_server(tmp_path / "data").__enter__)
    assert "Warning: The Milvus server" in capsys.readouterr().err


def test_a_private_network_has_a_loopback_and_nothing_else():
    code = "import socket; from helpers.engines.server import is_private; print(is_private());"
    code += "socket.create_server(('127.0.0.1', 0))"
    command = server.private_network([sys.executable, "-c", code])
    if command[0] == sys.executable:
        pytest.skip("this system lets no user make a network of their own")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "True\n", done.stderr


def test_no_server_for_this_system_is_said(monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert "name it in MILVUS_URI" in refusal(server.install_server)
