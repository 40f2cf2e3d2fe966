"""The benchmark: what it measures is right, an interruption costs nothing, a failure is named."""

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import tables
from PIL import Image

from helpers.errors import HelpfulError
from helpers.scenarios.benchmark import engines, run, views
from helpers.scenarios.benchmark.data import prepare_vectors, read_hdf5, true_neighbours
from helpers.scenarios.benchmark.engines import LIBRARIES, as_ids, share_of
from helpers.scenarios.benchmark.job import (
    folder_bytes,
    found_shares,
    recalls,
    run_job,
    summarise,
    writing,
)
from helpers.scenarios.benchmark.run import run_setups
from helpers.scenarios.benchmark.setups import ALL, KEEPS, Load, Setup, cells, choose_setups
from helpers.scenarios.benchmark.views import (
    show_clients_and_filters,
    show_descriptor,
    show_recall_and_speed,
)
from tests.scenarios.benchmark.benchmark_world import (
    QUERIES,
    SIZE,
    K,
    draw,
    make_work,
    quick_measure,
)

SETUPS = [one for one in choose_setups(SIZE, server=False) if one.engine in LIBRARIES]
EXACT = Setup("numpy", "exact")


@pytest.fixture(scope="module")
def vectors():
    return draw()


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return make_work(tmp_path_factory.mktemp("drawn"))


@pytest.mark.parametrize("setup", SETUPS, ids=lambda setup: setup.name)
def test_every_engine_stores_and_finds(setup, work, tmp_path):
    result = run_job(LIBRARIES[setup.engine], quick_measure, setup, work, tmp_path)
    points = result["points"]
    loads = [{key: point[key] for key in asdict(Load())} for point in points]
    assert loads == [asdict(load) for load in setup.loads(can_filter=False)]
    most = [point for point in points if point["effort"] == setup.efforts[-1]][0]
    assert most["recall"] >= (1 if not setup.efforts[0] else 0.9), most
    assert most["recall_low"] <= most["recall"] <= most["recall_high"]
    assert all(point["qps_low"] <= point["qps"] <= point["qps_high"] for point in points)
    assert result["insert_s"] > 0 and result["build_s"] >= 0
    assert result["disk_mb"] > SIZE * 16 / 1e6


def test_more_effort_finds_more(work, tmp_path):
    coarse = Setup("faiss", "IVF_FLAT", {"nlist": 64}, ({"nprobe": 1}, {"nprobe": 64}))
    points = run_job(engines.Faiss, quick_measure, coarse, work, tmp_path)["points"]
    by_effort = {point["effort"]["nprobe"]: point["recall"] for point in points}
    assert by_effort[1] < 0.6 and by_effort[64] == 1


class Filtering(engines.NumpyExact):
    """An exact search that filters and takes rows later on."""

    can_filter = True
    extra = ()

    def insert(self, ids, vectors):
        if ids[0] < self.size:
            super().insert(ids, vectors)
        else:
            self.extra = (*self.extra, *ids.tolist())

    def search(self, queries, k, effort, keep=ALL):
        scores = queries @ self.vectors.T
        scores[:, share_of(np.arange(self.size)) >= keep] = -2
        found = np.argsort(-scores, axis=1)[:, :k]
        return np.where(np.take_along_axis(scores, found, 1) > -2, found, -1)


def test_filters_and_writing_are_measured_where_an_engine_can(work, tmp_path):
    wide = replace(EXACT, wide=True)
    points = run_job(Filtering, quick_measure, wide, work, tmp_path)["points"]
    kept = {point["keep"]: point["recall"] for point in points if point["keep"] < ALL}
    assert kept == dict.fromkeys(KEEPS, 1.0), "exact under each filter, also with few rows"
    assert [point["clients"] for point in points].count(16) == 1
    assert [bool(point.get("writes")) for point in points] == [False] * (len(points) - 1) + [True]


def test_writing_goes_on_at_its_rate_with_new_ids(work, vectors, tmp_path):
    engine = Filtering(EXACT, SIZE, 16, tmp_path, 1)
    engine.open()
    with writing(engine, vectors, replace(work, writes=2000)) as rate:
        while len(engine.extra) < 300:
            pass
    assert 1000 < rate() < 4000
    assert list(engine.extra) == list(range(SIZE, SIZE + len(engine.extra)))


def test_a_write_that_fails_is_no_silence(work, vectors, tmp_path):
    class Full(Filtering):
        def insert(self, ids, vectors):
            raise OSError("disk full")

    with (
        pytest.raises(OSError, match="disk full"),
        writing(Full(EXACT, SIZE, 16, tmp_path, 1), vectors, work),
    ):
        pass


def test_shares_found_by_hand():
    rows = np.eye(4, dtype=np.float32)
    queries, truth = np.array([[0.9, 0.4, 0.1, 0]], np.float32), np.array([[0.9, 0.4, 0.1]])

    def share(ids):
        return found_shares(np.array([ids]), rows, queries, truth)[0]

    assert share([0, 1, 2]) == share([2, 0, 1]) == 1
    assert share([0, 1, 3]) == pytest.approx(2 / 3)
    assert share([0, -1, -1]) == pytest.approx(1 / 3), "what was not found does not count"


def test_ties_count_as_found():
    vectors = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    queries = np.array([[1, 0]], np.float32)
    assert found_shares(np.array([[1]]), vectors, queries, np.ones((1, 1))) == [1]


@pytest.mark.parametrize("ids", [[0, 0], [0, 7]])
def test_impossible_ids_are_refused(ids):
    with pytest.raises(ValueError, match="twice, or one that was never stored"):
        found_shares(np.array([ids]), np.eye(2), np.eye(2)[:1], np.ones((1, 2)))


def test_rows_outside_of_the_filter_are_refused(work, vectors):
    outside = np.flatnonzero(share_of(np.arange(SIZE)) >= 500)[:K]
    with pytest.raises(ValueError, match="its filter leaves out"):
        recalls(
            lambda queries, load: np.tile(outside, (len(queries), 1)),
            vectors[:SIZE],
            vectors[SIZE:],
            work,
            Load(keep=500),
        )


@pytest.mark.parametrize(("keep", "rows"), [(500, 1500), (100, 300), (10, 30), (1, 3)])
def test_a_filter_keeps_its_share_of_the_rows(keep, rows, work):
    assert (share_of(np.arange(SIZE)) < keep).sum() == rows
    assert np.load(work.truth_file(keep))["ids"].shape == (QUERIES, min(K, rows))


def test_rounds_are_summarised_by_hand():
    rounds = [(10.0, np.full(400, 3.0)), (30.0, np.full(400, 1.0)), (20.0, np.full(400, 2.0))]
    figures = summarise(rounds)
    assert [figures[name] for name in ("qps_low", "qps", "qps_high")] == [10, 20, 30]
    assert [figures[name] for name in ("ms_low", "ms", "ms_high")] == [1, 2, 3]
    assert figures["p95"] == figures["p99"] == 3 and figures["calls"] == 1200


@pytest.mark.parametrize(("calls", "known"), [(33, ()), (34, ("p95",)), (334, ("p95", "p99"))])
def test_rare_calls_are_told_from_enough_calls_only(calls, known):
    figures = summarise([(1.0, np.arange(calls))] * 3)
    assert tuple(name for name in ("p95", "p99") if figures[name] is not None) == known


def test_an_interrupted_run_goes_on_where_it_was(work, tmp_path, capsys, monkeypatch):
    two = [EXACT, Setup("faiss", "IVF_FLAT", {"nlist": 16}, ({"nprobe": 16},))]
    jobs = []
    do = run._run
    monkeypatch.setattr(run, "_run", lambda task, *rest: jobs.append(task[2]) or do(task, *rest))

    def measure_all(setups, work=work, measure=quick_measure):
        return run_setups(setups, work, tmp_path, LIBRARIES, measure)

    first = measure_all(two[:1])
    assert f"{SIZE:,} vectors" in capsys.readouterr().out
    both = measure_all(two)
    assert jobs == two, "numpy is not measured again"
    assert capsys.readouterr().out.count("s, measured 20") == 1
    again = both[both["kind"] == "numpy"].dropna(axis=1, how="all")
    pd.testing.assert_frame_equal(again, first.dropna(axis=1, how="all"), check_like=True)
    assert both["peak_mb"].min() > 20 and both["seconds"].min() > 0
    assert both["name"].iloc[0] == f"numpy {np.__version__} exact"
    measure_all(two, replace(work, threads=2))
    assert jobs[2:] == two, "other work is measured anew"
    measure_all(two, measure=lambda *given: quick_measure(*given))
    assert jobs[4:] == two, "so is what is measured otherwise"
    assert not list(tmp_path.glob("at-work*"))


def test_a_class_of_a_notebook_reaches_the_process(work, tmp_path):
    space = {"Exact": engines.NumpyExact, "__name__": "a_notebook"}
    source = "class Late(Exact):\n    def version(self):\n        return 'of a cell'\n"
    exec(compile(source, __file__, "exec"), space)
    table = run_setups([EXACT], work, tmp_path, {"numpy": space["Late"]}, quick_measure)
    assert table["engine"].iloc[0] == "numpy of a cell"


def test_failures_are_named_and_the_others_run(work, tmp_path, capsys):
    bad = Setup("faiss", "IVF_FLAT", {"nlist": -1})
    table = run_setups([bad, EXACT], work, tmp_path, LIBRARIES, quick_measure)
    assert list(table["kind"].unique()) == ["numpy"]
    assert "left out:  faiss IVF_FLAT: " in capsys.readouterr().out
    assert len(list(tmp_path.glob("faiss*.json"))) == 0, "a failure is tried again"


def test_stopping_stops_the_job(work, tmp_path, monkeypatch):
    def stop(_):
        raise KeyboardInterrupt

    started = []
    popen = run.subprocess.Popen
    monkeypatch.setattr(
        run.subprocess, "Popen", lambda *a, **k: started.append(popen(*a, **k)) or started[-1]
    )
    monkeypatch.setattr(run, "memory_of", stop)
    with pytest.raises(KeyboardInterrupt):
        run_setups([EXACT], work, tmp_path, LIBRARIES, quick_measure)
    assert started[0].poll() is not None and not list(tmp_path.glob("*.json"))


def test_setups_cover_what_is_compared():
    names = {setup.name for setup in choose_setups(100_000, server=True)}
    assert {"Milvus server HNSW", "Milvus Lite FLAT", "LanceDB IVF_FLAT"} <= names
    lite = {name for name in names if not name.startswith("Milvus server")}
    assert {setup.name for setup in choose_setups(100_000, server=False)} == lite
    for setup in choose_setups(1_000_000, server=True):
        again = Setup(**json.loads(json.dumps(asdict(setup))))
        assert replace(again, efforts=tuple(again.efforts)) == setup
    assert [cells(size) for size in (1000, 10_000, 100_000, 1_000_000)] == [32, 128, 256, 1024]


def test_loads_of_a_setup():
    graph = Setup("faiss", "HNSW", {}, ({"ef": 1}, {"ef": 2}, {"ef": 3}), wide=True)
    loads = graph.loads(can_filter=True)
    assert {(load.effort["ef"], load.batch) for load in loads} >= {(1, 1), (3, 100)}
    assert {load.effort["ef"] for load in loads if load.clients > 1 or load.keep < ALL} == {2}
    assert len(loads) == len(graph.loads(can_filter=False)) + len(KEEPS)
    assert {load.batch for load in Setup("sqlite-vec", "exact").loads(False)} == {1}


def test_ids_are_filled_up():
    assert as_ids([[1, 2], [3]], 2).tolist() == [[1, 2], [3, -1]]


def test_vectors_are_prepared_once(tmp_path, monkeypatch):
    ready = prepare_vectors("photos", 500, 20, tmp_path)
    assert np.load(ready / "vectors.npy").shape == (500, 128)
    assert np.load(ready / "queries.npy").shape == (20, 128)
    monkeypatch.setattr("helpers.scenarios.benchmark.data.load_sift", None)
    assert prepare_vectors("photos", 500, 20, tmp_path) == ready
    with pytest.raises(HelpfulError, match="choose 'photos' or 'sift1m'"):
        prepare_vectors("glove", 500, 20, tmp_path)


def test_the_classic_file_is_read(tmp_path):
    file = tmp_path / "sift.hdf5"
    drawn = np.random.default_rng(1).integers(1, 200, (30, 128)).astype(np.float32)
    with tables.open_file(str(file), "w") as book:
        book.create_array("/", "train", drawn)
        book.create_array("/", "test", drawn[:5])
    vectors, queries = read_hdf5(file, 20, 4)
    assert vectors.shape == (20, 128) and queries.shape == (4, 128)
    assert vectors.dtype == np.float32 and np.allclose(np.linalg.norm(vectors, axis=1), 1)
    with pytest.raises(HelpfulError, match="holds 30 vectors and 5 queries"):
        read_hdf5(file, 20, 6)


@pytest.mark.parametrize("keep", [ALL, 100])
def test_true_neighbours_are_kept(keep, vectors, tmp_path):
    file = tmp_path / "truth.npz"
    ids = true_neighbours(vectors[:SIZE], vectors[SIZE:], 3, file, keep)
    scores = vectors[SIZE:] @ vectors[:SIZE].T
    scores[:, share_of(np.arange(SIZE)) >= keep] = -2
    assert np.array_equal(ids, np.argsort(-scores, axis=1)[:, :3])
    assert np.allclose(np.load(file)["scores"], -np.sort(-scores, axis=1)[:, :3])
    again = true_neighbours(-vectors[:SIZE], vectors[SIZE:], 3, file, keep)
    assert np.array_equal(again, ids), "from file"


@pytest.fixture
def figures(monkeypatch):
    """The figures that were shown, before they became pictures."""
    kept = []
    monkeypatch.setattr(views, "show_figure", kept.append)
    yield kept
    plt.close("all")


@pytest.fixture
def measured():
    """Made-up results of two set-ups, one on another machine."""
    rows = []
    for kind, index, memory in (("faiss", "HNSW", 40), ("Milvus server", "FLAT", None)):
        for batch, recall in ((1, 0.9), (1, 1.0), (100, 0.9), (100, 1.0)):
            row = {"kind": kind, "engine": f"{kind} 1.0", "index": index, "batch": batch}
            row |= {"name": f"{kind} 1.0 {index}", "recall": recall, "qps": 10.0 * batch}
            row |= {"qps_low": 9.0 * batch, "qps_high": 12.0 * batch, "ready_s": 3, "clients": 1}
            row |= {"ms": 4.0, "ms_low": 3.0, "ms_high": 6.0, "keep": 10}
            rows.append(row | {"memory_mb": memory, "disk_mb": memory})
    return pd.DataFrame(rows)


def test_recall_is_drawn_as_what_is_missed(measured, figures):
    show_recall_and_speed(measured)
    single, batches = figures[0].axes
    lines = [container.lines[0].get_xydata() for container in single.containers]
    assert np.allclose(lines, [[[0.1, 10], [5e-5, 10]]] * 2)
    assert np.allclose(batches.containers[0].lines[0].get_ydata(), 1000)
    assert single.get_xlim()[0] > single.get_xlim()[1], "what finds more stands right"
    labels = [text.get_text() for text in batches.get_legend().get_texts()]
    assert labels == ["faiss 1.0", "Milvus server 1.0", "FLAT", "HNSW"]
    (bars,) = single.containers[0].lines[2]
    assert np.allclose(bars.get_segments()[0][:, 1], [9, 12]), "slowest and fastest round"


def test_clients_and_filters_are_drawn(measured, figures):
    show_clients_and_filters(measured, measured[measured["kind"] == "faiss"])
    clients, times, recalls_ = figures[0].axes
    assert len(clients.containers) == 2 and len(times.containers) == 1
    assert times.containers[0].lines[0].get_xydata()[0].tolist() == [1, 4], "10 of 1000 are 1 %"
    assert recalls_.lines[0].get_ydata()[0] == 0.9


def test_the_descriptor_that_is_drawn_is_of_the_photo(figures):
    import cv2

    from helpers.assets import fetch

    photo = fetch("city_photos") / "2.jpg"
    show_descriptor(photo)
    left, right = figures[0].axes
    circles, thick = left.collections
    places, descriptors = cv2.SIFT_create(80).detectAndCompute(cv2.imread(str(photo)), None)
    largest = int(np.argmax([place.size for place in places]))
    assert len(circles.get_offsets()) == len(places)
    assert np.allclose(thick.get_offsets()[0], places[largest].pt)
    assert f"the {len(places)} strongest places" == left.get_title()
    apart = left.images[0].get_array().astype(int) - np.asarray(Image.open(photo))
    assert np.abs(apart).mean() < 1, "red is red"
    heights = [bar.get_height() for bar in right.patches]
    assert np.allclose(heights, descriptors[largest] / np.linalg.norm(descriptors[largest]))


def test_linked_files_do_not_count(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one").write_bytes(b"12345")
    (tmp_path / "link").symlink_to(Path(sys.executable))
    assert folder_bytes(tmp_path) == 5
