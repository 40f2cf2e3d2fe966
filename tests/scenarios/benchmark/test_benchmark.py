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
from helpers.scenarios.benchmark.job import folder_bytes, measure, recalls, run_job
from helpers.scenarios.benchmark.run import run_setups
from helpers.scenarios.benchmark.setups import Setup, cells, choose_setups
from helpers.scenarios.benchmark.views import (
    describe_setups,
    growth_table,
    power_law,
    show_build_and_memory,
    show_descriptors,
    show_growth,
    show_recall_and_speed,
)
from tests.scenarios.benchmark.benchmark_world import QUERIES, SIZE, K, draw, make_work

EVERY = [one for one in choose_setups(SIZE, server=False) if engines.installed_version(one.engine)]


@pytest.fixture(scope="module")
def vectors():
    return draw()


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return make_work(tmp_path_factory.mktemp("drawn"))


@pytest.mark.parametrize("setup", EVERY, ids=lambda setup: setup.name)
def test_every_engine_stores_and_finds(setup, work, tmp_path):
    # As for a smaller dimension than SIFT's.
    build = setup.build | ({"sub_vectors": 4} if "sub_vectors" in setup.build else {})
    result = run_job(replace(setup, build=build), work, tmp_path)
    assert [point["effort"] for point in result["points"]] == list(setup.efforts)
    most = result["points"][-1]
    exact = not setup.efforts[0]
    assert most["recall@10"] >= (1 if exact else 0.9), most
    assert most["recall@100"] >= result["points"][0]["recall@100"]
    assert 0 < most["p50"] <= most["p95"] <= most["p99"]
    assert min(most["batch_qps"], most["clients_qps"]) > 0 and most["calls"] >= 100
    # sqlite-vec and LanceDB keep vectors in files alone.
    assert result["disk_mb"] > SIZE * 16 / 1e6 and result["build_s"] >= 0
    assert (result["insert_s"] is None) == (setup.engine in ("numpy", "faiss", "hnswlib"))


def test_more_effort_finds_more(work, tmp_path):
    coarse = Setup("faiss", "IVF_FLAT", {"nlist": 64}, ({"nprobe": 1}, {"nprobe": 64}))
    little, much = run_job(coarse, work, tmp_path)["points"]
    assert little["recall@10"] < 0.6 and much["recall@100"] == 1


def test_recalls_by_hand():
    vectors = np.eye(4, dtype=np.float32)
    queries = np.array([[0.9, 0.4, 0.1, 0]], np.float32)
    truth = np.array([[0.9, 0.4, 0.1]])  # of three neighbours

    def at(ids, rank):
        return recalls(np.array([ids]), vectors, queries, np.pad(truth, ((0, 0), (0, 97))))[
            f"recall@{rank}"
        ]

    assert at([0, 1, 2], 1) == 1
    assert at([1, 0, 2], 1) == 0
    assert at([0, -1, -1], 10) == pytest.approx(1 / 3), "what was not found does not count"


def test_ties_count_as_found():
    vectors = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    queries = np.array([[1, 0]], np.float32)
    truth = np.ones((1, 100))
    assert recalls(np.array([[1]]), vectors, queries, truth)["recall@1"] == 1


@pytest.mark.parametrize("ids", [[0, 0], [0, 7]])
def test_impossible_ids_are_refused(ids):
    with pytest.raises(ValueError, match="twice, or one that was never stored"):
        recalls(np.array([ids]), np.eye(2), np.eye(2)[:1], np.ones((1, 100)))


def test_slow_engines_are_cut_short_after_enough_queries(work, vectors, monkeypatch):
    class Slow:
        def search(self, queries, k, effort):
            calls.append(len(queries))
            return np.tile(np.arange(k), (len(queries), 1))

    calls = []
    truth = np.ones((QUERIES, K))
    rules = replace(work, seconds=0, clients=0)
    figures = measure(Slow(), vectors, np.tile(vectors[SIZE:], (5, 1)), truth, rules, {})
    assert calls[:2] == [100, 100] and set(calls[2:]) == {1}, "one batch to warm up, one measured"
    assert figures["calls"] == calls.count(1) - 3 == 101
    assert "clients_qps" not in figures


def test_an_interrupted_run_goes_on_where_it_was(work, tmp_path, capsys, monkeypatch):
    two = [Setup("numpy", "exact"), Setup("faiss", "FLAT")]
    first = run_setups(two[:1], work, tmp_path)
    assert "vectors  recall@10 1.000" in capsys.readouterr().out
    jobs = []
    do = run._run
    monkeypatch.setattr(run, "_run", lambda setup, *rest: jobs.append(setup) or do(setup, *rest))
    both = run_setups(two, work, tmp_path)
    assert jobs == two[1:], "numpy is not measured again"
    assert capsys.readouterr().out.count("s, measured 20") == 1
    pd.testing.assert_frame_equal(both[both["engine"] == "numpy"], first, check_like=True)
    assert both["peak_mb"].min() > 20 and both["seconds"].min() > 0
    run_setups(two, replace(work, k=50), tmp_path)
    assert jobs[1:] == two, "other work is measured anew"
    assert not (tmp_path / "at-work").exists()


def test_failures_are_named_and_the_others_run(work, tmp_path, capsys):
    bad = Setup("faiss", "IVF_FLAT", {"nlist": -1})
    table = run_setups([bad, Setup("numpy", "exact")], work, tmp_path)
    assert list(table["name"]) == ["numpy exact"]
    assert "left out:  faiss IVF_FLAT: " in capsys.readouterr().out
    assert len(list(tmp_path.glob("faiss*.json"))) == 0, "a failure is tried again"


def test_an_engine_that_is_not_installed_is_named(work, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(engines.Hnswlib, "package", "no-such-thing")
    assert run_setups([Setup("hnswlib", "HNSW")], work, tmp_path).empty
    assert "hnswlib HNSW: no-such-thing is not installed" in capsys.readouterr().out


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
        run_setups([Setup("numpy", "exact")], work, tmp_path)
    assert started[0].poll() is not None and not list(tmp_path.glob("*.json"))


def test_setups_cover_what_is_compared():
    names = {setup.name for setup in choose_setups(100_000, server=True)}
    assert {"Milvus server HNSW", "Milvus Lite IVF_SQ8", "LanceDB IVF_PQ"} <= names
    lite = {name for name in names if not name.startswith("Milvus server")}
    assert {setup.name for setup in choose_setups(100_000, server=False)} == lite
    for setup in choose_setups(1_000_000, server=True):
        again = Setup(**json.loads(json.dumps(asdict(setup))))
        assert replace(again, efforts=tuple(again.efforts)) == setup
    assert [cells(size) for size in (1000, 10_000, 100_000, 1_000_000)] == [128, 512, 1024, 4096]


def test_setups_are_described():
    table = describe_setups(choose_setups(1_000_000, server=False))
    assert table.loc["faiss HNSW"].tolist() == ["M 16, efConstruction 100", "ef [100, 200, 400]"]
    assert table.loc["numpy exact"].tolist() == ["-", "-"]


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


def test_true_neighbours_are_kept(vectors, tmp_path):
    file = tmp_path / "truth.npz"
    ids = true_neighbours(vectors[:SIZE], vectors[SIZE:], 3, file)
    order = np.argsort(-(vectors[SIZE:] @ vectors[:SIZE].T), axis=1)[:, :3]
    assert np.array_equal(ids, order)
    scores = np.load(file)["scores"]
    assert np.allclose(scores, -np.sort(-(vectors[SIZE:] @ vectors[:SIZE].T), axis=1)[:, :3])
    assert np.array_equal(true_neighbours(vectors[:5], vectors[SIZE:], 3, file), ids), "from file"


def test_power_law():
    assert power_law([10, 100, 1000], [3, 30, 300]) == pytest.approx((0.3, 1))
    assert power_law([1, 4], [2, 4]) == pytest.approx((2, 0.5))
    for sizes, costs in (([10, 10], [1, 2]), ([1, 10], [0, 1])):
        with pytest.raises(ValueError, match="needs two sizes"):
            power_law(sizes, costs)


@pytest.fixture
def measured():
    """Made-up results at three sizes, one engine on another machine."""
    rows = []
    for size in (100, 1000, 10_000):
        for engine, index, memory in (("faiss", "HNSW", size), ("Milvus server", "FLAT", None)):
            name = f"{engine} {index}"
            row = {"name": name, "engine": engine, "index": index, "size": size, "p50": size**0.5}
            row |= {"ready_s": size / 100, "memory_mb": memory, "disk_mb": memory, "effort": ""}
            rows.append(row | {"recall@100": 0.9, "batch_qps": 10.0, "clients_qps": 5.0})
    return pd.DataFrame(rows)


def test_growth(measured):
    laws = growth_table(measured)
    assert laws.loc["faiss HNSW"].tolist() == pytest.approx([0.5, 1, 1e6])
    assert np.isnan(laws.loc["Milvus server FLAT", "bytes/vector"])
    assert growth_table(measured[measured["size"] == 100]).empty


@pytest.fixture
def figures(monkeypatch):
    """The figures that were shown, before they became pictures."""
    kept = []
    monkeypatch.setattr(views, "show_figure", kept.append)
    yield kept
    plt.close("all")


def points_of(axes):
    return [line.get_xydata().tolist() for line in axes.lines]


def test_recall_is_drawn_against_three_speeds(measured, figures):
    show_recall_and_speed(measured[measured["size"] == 10_000].reset_index(drop=True))
    single, batches, clients = figures[0].axes
    assert points_of(single) == [[[0.9, 10]]] * 2  # a query takes 100 ms
    assert points_of(batches) == [[[0.9, 10]]] * 2 and points_of(clients) == [[[0.9, 5]]] * 2
    labels = [text.get_text() for text in clients.get_legend().get_texts()]
    assert labels == ["faiss", "Milvus server", "FLAT", "HNSW"]
    assert len({line.get_color() for line in single.lines}) == 2
    assert [line.get_marker() for line in single.lines] == ["o", "s"]


def test_build_memory_and_disk_are_bars_with_their_figures(measured, figures):
    show_build_and_memory(measured[measured["size"] == 1000].reset_index(drop=True))
    ready, memory, disk = figures[0].axes
    assert [bar.get_width() for bar in ready.patches] == [10, 10]
    for axes in (memory, disk):
        assert axes.patches[0].get_width() == 1000 and np.isnan(axes.patches[1].get_width())
        assert [text.get_text() for text in axes.texts] == ["1,000", ""]
    assert [label.get_text() for label in ready.get_yticklabels()] == [
        "faiss HNSW", "Milvus server FLAT",
    ]  # fmt: skip


def test_growth_is_drawn_with_its_law_where_it_is_known(measured, figures):
    show_growth(measured)
    search, ready, memory = figures[0].axes
    assert points_of(search)[0] == [[100, 10], [1000, 1000**0.5], [10_000, 100]]
    assert np.allclose(points_of(search)[1], points_of(search)[0]), "an exact power law"
    assert len(search.lines) == len(ready.lines) == 4
    assert [len(points) for points in points_of(memory)] == [3, 3, 0], "not on another machine"


def test_a_descriptor_is_drawn_beside_the_strongest_places(figures):
    from helpers.assets import fetch

    photo = fetch("city_photos") / "2.jpg"
    show_descriptors(photo, np.arange(128, dtype=np.float32))
    left, right = figures[0].axes
    (circles,) = left.collections
    assert 80 <= len(circles.get_offsets()) <= 85
    assert f"the {len(circles.get_offsets())} strongest places" == left.get_title()
    apart = left.images[0].get_array().astype(int) - np.asarray(Image.open(photo))
    assert np.abs(apart).mean() < 1, "red is red"
    assert [bar.get_height() for bar in right.patches] == list(range(128))


def test_linked_files_do_not_count(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one").write_bytes(b"12345")
    (tmp_path / "link").symlink_to(Path(sys.executable))
    assert folder_bytes(tmp_path) == 5
