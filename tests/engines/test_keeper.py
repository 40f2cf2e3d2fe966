"""The keeper of a store: shared by all who use it, reached by no port, gone when nobody is left."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jupyter_client
import psutil
import pytest

from helpers.connect import connect_milvus, connect_redis, remove_store
from helpers.engines import keeper
from helpers.paths import ROOT, store_folder
from tests.services_world import VECTORS, fill, finished, index, refusal, running

pytest_plugins = ["tests.services_world"]
pytestmark = pytest.mark.usefixtures("stores")

CONNECT = """
from helpers.connect import connect_milvus, connect_redis
milvus, redis = connect_milvus("image_search"), connect_redis("image_search")
"""
STAY = f"{CONNECT}\nprint('ready', flush=True)\ninput()"


def processes():
    """The keeper of the tests' store and its children."""
    store = str(store_folder("image_search"))
    found = []
    for process in psutil.process_iter(["cmdline"]):
        line = process.info["cmdline"] or []
        if "helpers.engines.keeper" in line and any(part.startswith(store) for part in line):
            found += [process, *process.children(recursive=True)]
    return found


def sockets():
    """The folder in which the keeper listens."""
    return Path(keeper._keeper_of(store_folder("image_search") / "milvus.db").read_text()).parent


def ended(those, seconds=10):
    """Whether processes end in time; the limit is the one that the keeper promises."""
    _, alive = psutil.wait_procs(those, timeout=seconds)
    return not alive


# Shared


def test_two_kernels_and_a_script_use_one_store_at_once():
    milvus, redis = connect_milvus("image_search"), connect_redis("image_search")
    fill(milvus)
    index(milvus)
    redis.set("who", "first")
    use = f"""{CONNECT}
found = milvus.search("photos", [{VECTORS[5].tolist()}], limit=1)[0][0]["id"]
milvus.upsert("photos", [{{"id": 1000 + redis.incr("n"), "label": "b", "vector": [1.0] * 16}}])
print(found, redis.get("who"))
"""
    with running(STAY):
        assert finished(use).stdout.endswith("5 first\n")
        assert finished(use).stdout.endswith("5 first\n")
        assert "in use by another process" in refusal(remove_store, "image_search")
    assert len(milvus.query("photos", "id > 1000", ["id"])) == 2
    assert redis.get("n") == "2"


def test_those_who_come_at_once_get_one_keeper():
    code = f"{CONNECT}\nprint(redis.info('server')['process_id'], flush=True)\ninput()"
    those = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    try:
        said = [[process.stdout.readline() for _ in range(3)][2] for process in those]
    finally:
        for process in those:
            process.communicate("\n")
    assert len(set(said)) == 1 and int(said[0])


def test_a_restarted_kernel_finds_its_rows():
    manager = jupyter_client.KernelManager()
    manager.start_kernel(cwd=str(ROOT))

    def run(code):
        client = manager.blocking_client()
        client.start_channels()
        client.wait_for_ready(60)
        said = []
        reply = client.execute_interactive(code, timeout=120, output_hook=said.append)
        client.stop_channels()
        assert reply["content"]["status"] == "ok", said
        return "".join(m["content"].get("text", "") for m in said)

    try:
        run(
            f"{CONNECT}\nfrom tests.services_world import fill, index\n"
            "fill(milvus); index(milvus); redis.set('who', 'first')"
        )
        kept = processes()
        manager.restart_kernel(now=True)
        counting = "milvus.query('photos', output_fields=['count(*)'])"
        said = run(
            f"{CONNECT}\nmilvus.load_collection('photos')\nprint({counting}, redis.get('who'))"
        )
        assert "600" in said and "first" in said
    finally:
        manager.shutdown_kernel(now=True)
    assert ended([*kept, *processes()])


# Reached by nobody else


def test_a_keeper_loads_no_client(tmp_path):
    code = f"""
import sys
from pathlib import Path
from helpers.engines import keeper
from helpers.engines.lite_store import serve
keeper._leave_out_the_client()
with serve(Path({str(tmp_path / "milvus.db")!r}), "unix:{tmp_path}/milvus"):
    print("pymilvus.grpc_gen" in sys.modules, "pymilvus.client" in sys.modules)
"""
    assert finished(code).stdout == "True False\n"


def test_nothing_listens_on_a_port_and_only_this_user_gets_in():
    connect_milvus("image_search")
    connect_redis("image_search")
    kept = processes()
    assert {process.name() for process in kept} >= {"redis-server"}
    for process in [*kept, psutil.Process()]:
        listening = [c for c in process.net_connections("inet") if c.status == psutil.CONN_LISTEN]
        assert not listening, process.cmdline()
    folder = sockets()
    assert {path.name for path in folder.iterdir()} >= {"keeper", "milvus", "redis"}
    assert folder.stat().st_mode & 0o777 == 0o700
    for name in ("keeper", "milvus", "redis"):
        assert (folder / name).stat().st_mode & 0o077 == 0


# Gone with the last


def busy_kernel():
    """A kernel that computes when it is shut down, so that nothing planned for its end is run."""
    manager = jupyter_client.KernelManager()
    manager.start_kernel(cwd=str(ROOT))
    client = manager.blocking_client()
    client.start_channels()
    client.wait_for_ready(60)
    client.execute_interactive(CONNECT, timeout=120, output_hook=lambda message: None)
    client.execute("while True: pass")
    kept = processes()
    time.sleep(0.5)
    manager.shutdown_kernel(restart=False)
    client.stop_channels()
    return kept


def left_by(signal_number):
    with running(STAY) as process:
        kept = processes()
        process.send_signal(signal_number)
        process.wait()
    return kept


def left_alone():
    with running(f"{CONNECT}\nprint('ready', flush=True)") as process:
        kept = processes()
        process.wait()
    return kept


ENDS = {
    "at its end": left_alone,
    "SIGKILL": lambda: left_by(signal.SIGKILL),
    "SIGTERM": lambda: left_by(signal.SIGTERM),
    "Ctrl-C": lambda: left_by(signal.SIGINT),
    "a busy kernel shut down": busy_kernel,
}


@pytest.mark.parametrize("end", ENDS)
def test_nothing_outlives_the_last_user_however_that_ends(end, stores):
    kept = ENDS[end]()
    assert len(kept) >= 2, "there was nothing to end"
    assert ended(kept)
    assert processes() == []
    assert (stores / "image_search" / "milvus.db.log").read_text() == ""


def test_ctrl_c_in_a_notebook_leaves_its_engines_running():
    # Jupyter sends the signal to the kernel and to all that it has started.
    code = STAY.replace("input()", "import time\ntime.sleep(60)")
    code = "import signal\nsignal.signal(signal.SIGINT, lambda *_: None)\n" + code
    with running(code) as process:
        kept = processes()
        os.killpg(process.pid, signal.SIGINT)
        assert psutil.wait_procs(kept, timeout=2)[0] == []


def test_a_child_that_outlives_its_parent_holds_nothing():
    code = f"{CONNECT}\nimport os, time\nos.fork() or time.sleep(30)\nprint('ready', flush=True)"
    with running(code):
        kept = processes()
    assert ended(kept)


def sleep_on(seconds):
    time.sleep(seconds)


def test_a_pool_of_processes_does_not_keep_a_store():
    connect_milvus("image_search")
    kept = processes()
    with multiprocessing.get_context("fork").Pool(1) as pool:
        pool.apply_async(sleep_on, (60,))
        time.sleep(0.5)
        os.close(keeper._held.pop(store_folder("image_search") / "milvus.db"))
        assert ended(kept)


def test_another_user_keeps_it():
    with running(STAY) as one, running(STAY):
        kept = processes()
        one.kill()
        one.wait()
        assert psutil.wait_procs(kept, timeout=3)[0] == []


# Killed, or not to be had


def test_a_keeper_that_was_killed_is_named_at_once_and_replaced():
    milvus, redis = connect_milvus("image_search"), connect_redis("image_search")
    fill(milvus)
    redis.set("who", "first")
    kept, left = processes(), sockets()
    kept[0].kill()
    assert ended(kept), "its redis-server, too"
    start = time.monotonic()
    assert "run the cell that connects to it again" in refusal(milvus.list_collections)
    assert time.monotonic() - start < 1
    milvus, redis = connect_milvus("image_search"), connect_redis("image_search")
    assert redis.get("who") == "first" and not left.exists()
    milvus.load_collection("photos")
    assert milvus.query("photos", output_fields=["count(*)"])[0]["count(*)"] == len(VECTORS)


def test_a_redis_that_ended_alone_is_started_again():
    connect_redis("image_search").set("key", "value")
    (server,) = [process for process in processes() if process.name() == "redis-server"]
    server.kill()
    server.wait()
    assert connect_redis("image_search").get("key") == "value"


def test_leftovers_do_no_harm(stores):
    folder = stores / "image_search"
    folder.mkdir(parents=True)
    for name in ("milvus.db.users", "milvus.db.keeper", "milvus.db.log"):
        (folder / name).write_text("/tmp/gone/keeper")
    assert connect_redis("image_search").set("key", "value")


def test_a_keeper_that_cannot_start_says_why(monkeypatch):
    monkeypatch.setattr(keeper.sys, "executable", "/bin/false")
    assert "as soon as it was started" in refusal(connect_redis, "image_search")
    assert keeper._held == {}


def test_a_store_that_is_refused_is_not_held(stores):
    (stores / "image_search").mkdir(parents=True)
    (stores / "image_search" / "milvus.db").write_bytes(b"SQLite format 3\0")
    refusal(connect_milvus, "image_search")
    assert keeper._held == {}
    (stores / "image_search" / "milvus.db").unlink()
    assert connect_milvus("image_search").list_collections() == []


def test_a_long_temporary_folder_is_not_used_for_sockets(monkeypatch, tmp_path):
    long = tmp_path / "é" / ("x" * 90)
    long.mkdir(parents=True)
    monkeypatch.setenv("TMPDIR", str(long))
    assert connect_redis("image_search").set("key", "value")
    assert list(long.iterdir()) == []
    remove_store("image_search")


# Other users


@pytest.mark.parametrize("name", ["users", "keeper", "log"])
def test_a_link_in_the_place_of_a_file_is_not_followed(name, stores):
    folder, mine = stores / "image_search", stores / "mine"
    folder.mkdir(parents=True)
    mine.write_text("dear to me")
    (folder / f"milvus.db.{name}").symlink_to(mine)
    assert "cannot be read and written" in refusal(connect_redis, "image_search")
    assert mine.read_text() == "dear to me"


@pytest.mark.parametrize("name", ["users", "keeper", "log"])
def test_files_of_another_user_are_not_trusted(name, stores, monkeypatch):
    (stores / "image_search").mkdir(parents=True)
    file = stores / "image_search" / f"milvus.db.{name}"
    file.touch()
    uid = os.geteuid()
    if uid == 0:
        os.chown(file, 12_345, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: uid + 1)
    assert "is another user's" in refusal(connect_redis, "image_search")


def test_nobody_else_may_open_what_a_store_is_made_of(stores):
    connect_milvus("image_search").create_collection("photos", dimension=8)
    connect_redis("image_search").set("key", "value")
    folder = stores / "image_search"
    sockets = Path((folder / "milvus.db.keeper").read_text().strip()).parent
    assert {path.name for path in sockets.iterdir()} >= {"keeper", "milvus", "redis"}
    for path in [
        sockets,
        *sockets.iterdir(),
        *(folder / "milvus.db").rglob("*"),
        *folder.iterdir(),
    ]:
        assert not path.stat().st_mode & 0o077, path
    remove_store("image_search")


# A full disk

EVERY_CALL = """
import subprocess, sys
import numpy as np
from helpers.connect import connect_milvus
from helpers.errors import ServiceError
milvus = connect_milvus("image_search")
for name in ("photos", "others"):
    milvus.create_collection(name, dimension=64)
rows = [{"id": n, "vector": np.ones(64)} for n in range(100)]
milvus.insert("photos", rows)
milvus.flush("photos")
milvus.insert("photos", rows)
milvus.release_collection("others")
index = milvus.prepare_index_params()
index.add_index("vector", index_type="HNSW", metric_type="COSINE")
milvus.drop_index("others", "vector")
subprocess.run(f"head -c 9000000 /dev/zero > {sys.argv[1]}/other", shell=True, stderr=-3)
for call in (
    lambda: milvus.insert("photos", rows), lambda: milvus.upsert("photos", rows),
    lambda: milvus.flush("photos"), lambda: milvus.delete("photos", [1]),
    lambda: milvus.create_collection("new", dimension=8),
    lambda: milvus.create_alias("photos", "a"),
    lambda: milvus.create_partition("photos", "part"), lambda: milvus.drop_collection("others"),
    lambda: milvus.rename_collection("photos", "new"), lambda: milvus.create_index("others", index),
):
    try:
        call()
    except ServiceError as error:
        print(error)
"""
FULL = """
import os, json, numpy as np
from helpers.connect import connect_milvus, connect_redis
from helpers.errors import HelpfulError
from helpers.metadata import save_metadata
milvus, redis = connect_milvus("image_search"), connect_redis("image_search")
milvus.create_collection("photos", dimension=512)
stored = 0
try:
    for batch in range(100):
        rows = [{"id": 100 * batch + n, "vector": np.ones(512)} for n in range(100)]
        ids = [row["id"] for row in rows]
        save_metadata(redis, "photos", ids, [{"text": "x" * 500}] * 100)
        milvus.upsert("photos", rows)
        stored += 100
except HelpfulError as error:
    print(json.dumps({"stored": stored, "said": str(error)}))
"""
AGAIN = """
import json
from helpers.connect import connect_milvus, connect_redis
milvus, redis = connect_milvus("image_search"), connect_redis("image_search")
milvus.load_collection("photos")
ids = [row["id"] for row in milvus.query("photos", "id >= 0", ["id"], limit=16_384)]
records = redis.mget([f"photos:{id}" for id in ids])
print(json.dumps({"rows": len(ids), "without": records.count(None)}))
"""


def on_a_disk_of(megabytes, script, stores):
    """Run a shell script where the stores lie on a small disk of their own."""
    stores.mkdir(parents=True, exist_ok=True)
    mount = f"mount -t tmpfs -o size={megabytes}m tmpfs {stores}"
    return subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", f"{mount} && {script}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def small_disk(stores):
    if on_a_disk_of(1, "true", stores).returncode:
        pytest.skip("this system lets no user mount a disk of their own")
    return stores


def test_a_full_disk_is_named_and_nothing_acknowledged_is_lost(small_disk, tmp_path):
    for name, code in {"full.py": FULL, "again.py": AGAIN}.items():
        (tmp_path / name).write_text(code)
    run = f"PYTHONPATH={ROOT} {sys.executable} {tmp_path}"
    script = f"{run}/full.py; sleep 3; mount -o remount,size=100m {small_disk}; {run}/again.py"
    done = on_a_disk_of(8, script, small_disk)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert len(lines) == 2, done.stdout + done.stderr
    full, again = lines
    assert "disk" in full["said"] and full["stored"] > 0
    assert full["stored"] <= again["rows"] <= full["stored"] + 100
    assert again["without"] == 0


def test_every_call_that_writes_names_a_full_disk(small_disk, tmp_path):
    (tmp_path / "calls.py").write_text(EVERY_CALL)
    run = f"PYTHONPATH={ROOT} {sys.executable} {tmp_path}/calls.py {small_disk}"
    done = on_a_disk_of(6, run, small_disk)
    said = [line for line in done.stdout.splitlines() if line.startswith("The disk of the store")]
    assert len(said) == 10 and done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr, "pymilvus logs it besides"


def test_a_disk_that_is_full_from_the_beginning_is_named(small_disk, tmp_path):
    fill_up = f"head -c 2000000 /dev/zero > {small_disk}/other"
    code = "from helpers.connect import *; {}('image_search')"
    for connect in ("connect_milvus", "connect_redis"):
        script = f'{fill_up}; {sys.executable} -c "{code.format(connect)}"; ls {small_disk}'
        done = on_a_disk_of(1, script, small_disk)
        last = done.stderr.strip().splitlines()[-1]
        assert "ServiceError" in last and "No space left" in last, done.stderr
    time.sleep(2)
    assert processes() == []
