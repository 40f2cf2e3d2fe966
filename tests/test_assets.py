"""The cache under kills, damage and company; the catalogue; the command."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from helpers import assets
from helpers.assets import AssetError, catalogue, fetch, is_cached
from helpers.paths import cache_dir
from tests.fetching.assets_world import (
    DATA,
    PROJECT_CATALOGUE,
    SHA,
    contents,
    describe,
    fetch_elsewhere,
    make_wheel,
    url_source,
    wheel_source,
)

pytest_plugins = ["tests.fetching.assets_world"]
PROJECT = catalogue()


def test_an_unknown_name_lists_the_known_ones(world):
    describe(wheel_source())
    with pytest.raises(AssetError, match="no asset 'thin'.*thing"):
        fetch("thin")


def test_a_cache_that_cannot_be_written_says_so(world, monkeypatch):
    (world / "file").write_text("in the way")
    monkeypatch.setenv("BOOTCAMP_CACHE", str(world / "file"))
    describe(wheel_source())
    with pytest.raises(AssetError, match="BOOTCAMP_CACHE"):
        fetch("thing")


# The cache


@pytest.mark.parametrize("harm", ["cut", "flipped", "gone", "no note", "bad note"])
def test_a_damaged_cache_is_mended(world, server, harm):
    server.files["/a"] = DATA
    describe(url_source(f"{server.url}/a"))
    path = fetch("thing")
    note = path.with_name("thing.bin.ok")
    if harm == "cut":
        path.write_bytes(DATA[:100])
    elif harm == "flipped":
        path.write_bytes(bytes([DATA[0] ^ 1]) + DATA[1:])
    elif harm == "gone":
        path.unlink()
    elif harm == "no note":
        note.unlink()
    else:
        note.write_text("[]")
    assert not is_cached(catalogue()["thing"])
    assert fetch("thing").read_bytes() == DATA
    assert len(server.hits) == 2


def test_a_cache_that_was_copied_is_read_once_and_kept(world, server, monkeypatch):
    server.files["/a"] = DATA
    describe(url_source(f"{server.url}/a"))
    path = fetch("thing")
    os.utime(path, (1, 1))
    assert fetch("thing") == path and len(server.hits) == 1
    monkeypatch.setattr(assets, "digest", None)
    assert is_cached(catalogue()["thing"]), "it is read a second time"


def test_a_note_of_old_is_replaced_without_a_download(world, server):
    server.files["/a"] = DATA
    describe(url_source(f"{server.url}/a"))
    path = fetch("thing")
    note = path.with_name("thing.bin.ok")
    note.write_text(json.dumps({"source": SHA, "content": [1, len(DATA)]}))
    assert fetch("thing") == path and len(server.hits) == 1


def test_what_is_run_is_read_whatever_size_time_and_note_say(world, server):
    server.files["/a"] = DATA
    describe(url_source(f"{server.url}/a"), more="runs = true\n")
    path = fetch("thing")
    assert is_cached(catalogue()["thing"])
    state = path.stat()
    path.write_bytes(DATA[:-1] + b"x")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert not is_cached(catalogue()["thing"])
    assert fetch("thing").read_bytes() == DATA


def test_a_folder_that_lost_a_file_is_replaced(world):
    make_wheel(world / "wheels", {"carrier/a.jpg": b"a", "carrier/b.jpg": b"b"})
    lines = [hashlib.sha256(text).hexdigest() + f"  {text.decode()}.jpg\n" for text in (b"a", b"b")]
    sha256 = hashlib.sha256("".join(lines).encode()).hexdigest()
    describe(wheel_source(member="carrier/*.jpg", sha256=sha256), path="photos")
    folder = fetch("thing")
    (folder / ".DS_Store").write_text("a file manager was here")
    assert is_cached(catalogue()["thing"])
    (folder / "a.jpg").unlink()
    (folder / "mine.txt").write_text("mine")
    assert {path.name for path in fetch("thing").iterdir()} == {"a.jpg", "b.jpg"}


def test_a_new_sha256_in_the_catalogue_fetches_anew(world, server):
    server.files["/a"] = DATA
    describe(url_source(f"{server.url}/a"))
    fetch("thing")
    server.files["/a"] = b"new"
    describe(url_source(f"{server.url}/a", sha256=hashlib.sha256(b"new").hexdigest()))
    assert fetch("thing").read_bytes() == b"new"


def test_two_processes_at_once_download_once(world, server):
    server.files["/a"] = DATA
    server.delay = 1.0
    describe(url_source(f"{server.url}/a"))
    both = [fetch_elsewhere(), fetch_elsewhere()]
    results = [process.communicate(timeout=60) for process in both]
    assert [out.strip() for out, _ in results] == [str(world / "cache" / "thing.bin")] * 2, results
    assert server.hits == ["/a"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_run_killed_in_mid_download_leaves_nothing_that_passes_for_complete(world, server):
    server.files["/a"] = DATA
    server.resume = threading.Event()
    describe(url_source(f"{server.url}/a"))
    process = fetch_elsewhere()
    assert server.halfway.wait(30)
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not is_cached(catalogue()["thing"])
    assert not (world / "cache" / "thing.bin").exists()
    assert list((world / "cache" / ".staging" / "thing").iterdir()), "it was killed too late"
    server.resume.set()
    assert fetch("thing").read_bytes() == DATA
    assert contents() == {"thing.bin", "thing.bin.ok"}


def test_old_leftovers_of_other_assets_are_removed_and_fresh_ones_kept(world, server):
    server.files["/a"] = DATA
    describe(url_source(f"{server.url}/a"))
    old, fresh = (world / "cache" / ".staging" / name for name in ("old", "fresh"))
    for folder in (old, fresh):
        folder.mkdir(parents=True)
        (folder / "part").write_bytes(b"part")
    two_days_ago = time.time() - 2 * 86_400
    os.utime(old, (two_days_ago, two_days_ago))
    fetch("thing")
    assert fresh.exists() and not old.exists()


# The catalogue itself


@pytest.mark.parametrize("asset", PROJECT.values(), ids=lambda asset: asset.name)
def test_every_entry_is_whole(asset):
    assert asset.what and asset.licence and asset.origin and asset.size > 0
    assert asset.sources
    assert re.fullmatch(r"[\w.-]+", asset.path) and not asset.path.startswith(".")
    for source in asset.sources:
        assert sum(bool(kind) for kind in (source.wheel, source.url, source.gdrive)) == 1
        assert source.size > 0
        if source.sha256 is None:
            assert (source.gdrive or source.url) and asset.optional, "only an optional file"
        else:
            assert re.fullmatch("[0-9a-f]{64}", source.sha256)
        if source.wheel:
            assert re.fullmatch(r"[\w.-]+==[\w.]+", source.wheel), "a wheel is pinned"
            assert source.member and source.wheel_size > 0
        else:
            assert source.file_name, "what is it called when put there by hand?"
            assert not source.url or source.url.startswith("https://")
        assert source.convert in (
            None,
            "state_dict_pickle",
            "torch_state_dict",
            "torch_checkpoint",
        )
        assert bool(source.convert) == asset.path.endswith(".safetensors")
        assert not (source.convert and source.unpack)
        # The sha256 of what is run must be that of what lies in the cache.
        assert not asset.runs or (source.sha256 and not source.convert and not source.unpack)


def test_paths_are_distinct():
    paths = [asset.path for asset in PROJECT.values()]
    assert len(set(paths)) == len(paths)


def test_the_readme_tells_of_every_entry_and_of_no_other():
    text = PROJECT_CATALOGUE.with_name("README.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| `([\w-]+)` \|", text, re.MULTILINE)
    assert sorted(named) == sorted(PROJECT)
    for asset in PROJECT.values():
        for source in asset.sources:
            assert not source.wheel or f"`{source.wheel}`" in text


def test_the_readme_tells_of_every_own_table_and_of_no_other():
    folder = PROJECT_CATALOGUE.parent
    named = re.findall(r"^\| `(\w+\.csv)` \|", (folder / "README.md").read_text(), re.MULTILINE)
    assert sorted(named) == sorted(path.name for path in folder.glob("*.csv"))


# The command


def run_command(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "helpers.assets", *arguments], capture_output=True, text=True
    )


def test_the_command_lists_everything(world):
    done = run_command("--list")
    assert done.returncode == 0
    for asset in PROJECT.values():
        line = next(line for line in done.stdout.splitlines() if line.split()[0] == asset.name)
        assert asset.what in line and asset.licence in line and "MB" in line
        assert ("(optional)" in line) == asset.optional
    assert not cache_dir().exists(), "a list fetches nothing"


def test_the_command_fetches_all_that_is_not_optional(world, capsys):
    make_wheel(world / "wheels", {"carrier/data.bin": DATA})
    describe(wheel_source())
    extra = assets.CATALOGUE.read_text().replace("thing", "extra")
    assets.CATALOGUE.write_text(
        assets.CATALOGUE.read_text() + extra.replace('what = "w"', 'what = "w"\noptional = true')
    )
    assert assets.main([]) == 0
    assert capsys.readouterr().out.split() == ["thing", "0.1", "MB", "fetched"]
    assert assets.main([]) == 0
    assert capsys.readouterr().out.split() == ["thing", "0.1", "MB", "cached"]
    assert assets.main(["extra"]) == 0
    assert "extra" in capsys.readouterr().out


def test_the_command_goes_on_after_a_failure_and_its_status_tells(world, capsys):
    make_wheel(world / "wheels", {"carrier/data.bin": DATA})
    describe(wheel_source())
    assert assets.main(["nothing", "thing"]) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("nothing") and "failed: There is no asset" in first
    assert second.endswith("fetched")


def test_the_cache_folder_can_be_moved(monkeypatch, tmp_path):
    monkeypatch.setenv("BOOTCAMP_CACHE", "~/somewhere")
    assert cache_dir() == Path.home() / "somewhere"
    monkeypatch.delenv("BOOTCAMP_CACHE")
    assert cache_dir().name == "vector-search-bootcamp"
