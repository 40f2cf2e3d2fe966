"""What notebook 12 defines: the engine under test, how it is measured, and the plan."""

import json

import numpy as np
import pandas as pd
import pytest

from helpers.errors import HelpfulError
from helpers.scenarios.benchmark.job import run_job
from helpers.scenarios.benchmark.setups import ALL, KEEPS, Load, Setup
from tests.notebooks.notebook_checks import Notebook
from tests.notebooks.subject import _NOTEBOOKS, subject
from tests.scenarios.benchmark.benchmark_world import make_work

MEASURED = {
    "name": "Milvus 2.3.5 HNSW",
    "size": 1_000_000,
    "dim": 128,
    "threads": 2,
    "ready_s": 360,
    "qps": 2000,
    "disk per vector": 1000,
    "errors": {"ready_s": 1.1, "batch ms": 0.5, "memory_mb": 1.2, "disk_mb": 1},
}
CLUSTER = {"million vectors": 100.0, "dimension": 128, "replicas": 2,
           "GB a node": 64.0, "cores a node": 16}  # fmt: skip


@pytest.fixture(scope="module")
def notebook():
    return subject("12_benchmark", measured=MEASURED, INDEXES=["HNSW"])


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return make_work(tmp_path_factory.mktemp("drawn"))


@pytest.mark.parametrize("index", ["FLAT", "HNSW"])
def test_milvus_is_measured_with_filters_and_during_writing(index, notebook, work, tmp_path):
    build = {"M": 16, "efConstruction": 100} if index == "HNSW" else {}
    efforts = ({"ef": 10}, {"ef": 200}) if build else ({},)
    setup = Setup("Milvus Lite", index, build, efforts, wide=True)
    result = run_job(notebook["Milvus"], notebook["measure"], setup, work, tmp_path)
    points = pd.DataFrame(result["points"])
    most = points[points["effort"] == efforts[-1]].iloc[0]
    assert most["recall"] > 0.99, most
    assert set(points["keep"]) == {ALL, *KEEPS} and set(points["clients"]) == {1, 2, 4, 8, 16}
    assert points["writes"].iloc[-1] > 0 and points["writes"].iloc[:-1].isna().all()
    if index == "FLAT":
        assert (points["recall"].dropna() == 1).all(), "exact under each filter"


def test_index_parameters_arrive_on_milvus_lite(notebook, work, tmp_path):
    setup = Setup("Milvus Lite", "IVF_FLAT", {"nlist": 64}, ({"nprobe": 1}, {"nprobe": 64}))
    points = run_job(notebook["Milvus"], notebook["measure"], setup, work, tmp_path)["points"]
    recall = {point["effort"]["nprobe"]: point["recall"] for point in points}
    assert recall[1] < 0.7 and recall[64] > 0.99, "with its own nlist 1 probe would find all"


@pytest.mark.parametrize(("batch", "clients"), [(1, 1), (100, 1), (1, 4)])
def test_a_measurement_lasts_as_long_as_it_is_told(batch, clients, notebook):
    asked = []
    queries = np.arange(300)[:, None]

    def search(some, load):
        asked.extend(some[:, 0].tolist())

    load = Load(batch=batch, clients=clients)
    qps, spent = notebook["ask_together"](search, queries, load, 0.2)
    assert len(asked) == len(spent) * batch
    assert 0.15 < len(asked) / qps < 0.6
    assert len(set(asked)) > 200, "not the same queries again and again"


def test_a_slow_search_counts_once(notebook):
    qps, spent = notebook["ask_together"](
        lambda *_: sum(range(10**6)), np.zeros((5, 2)), Load(clients=2), 0
    )
    assert len(spent) == 2 and qps > 0 and min(spent) > 1, "milliseconds"


def test_loads_take_turns_after_a_warm_up(notebook):
    order = []
    loads = [Load({"ef": ef}) for ef in range(8)]
    rounds = notebook["measure"](
        lambda _, load: order.append(load.effort["ef"]), np.zeros((5, 2)), loads, 0
    )
    assert order[:8] == list(range(8)), "the warm-up"
    turns = [order[start : start + 8] for start in (8, 16, 24)]
    assert all(sorted(turn) == list(range(8)) for turn in turns) and len(order) == 32
    assert turns[0] != turns[1] != turns[2] != list(range(8))
    assert [len(own) for own in rounds] == [3] * 8


def test_a_figure_is_read_at_a_recall(notebook):
    read_at = notebook["read_at"]
    rows = pd.DataFrame({"recall": [0.99, 0.9], "ms": [4.0, 1.0]})
    assert read_at(rows, "ms", 0.9) == pytest.approx(1)
    assert read_at(rows, "ms", 0.99) == pytest.approx(4)
    assert read_at(rows, "ms", 1 - 0.1**1.5) == pytest.approx(2), "halfway on both log scales"
    assert read_at(rows, "ms", 0.5) == pytest.approx(1), "the least effort finds more"
    assert np.isnan(read_at(rows, "ms", 0.995))
    exact = pd.DataFrame({"recall": [1.0], "ms": [7.0]})
    assert read_at(exact, "ms") == pytest.approx(7), "an exact search"


def test_three_rules_predict(notebook):
    guesses = notebook["predict"]((10, 100), (2, 20), 1000)
    assert list(guesses.values()) == pytest.approx([200, 200, 200]), "all agree on proportion"
    guesses = notebook["predict"]((10, 110), (50, 60), 1110)
    assert guesses["straight line"] == pytest.approx(160) and guesses["in proportion"] > 600
    assert notebook["predict"]((10, 100), (1, 1000), 1000)["power law"] == pytest.approx(1e6)


def test_a_plan_by_hand(notebook):
    needs = notebook["plan"]("HNSW", *CLUSTER.values())
    assert needs["memory of a replica, GB"] == pytest.approx(65.6)  # 656 bytes each
    assert (needs["query nodes"], needs["data nodes"]) == (4, 2)
    assert needs["object storage, GB"] == pytest.approx(100)
    assert needs["hours to load"] == pytest.approx(360 * 2 * 100 / 32 / 3600)
    assert needs["queries/s"] == pytest.approx(2000 / 2 / 100 * 64)
    worse = notebook["plan"]("HNSW", *CLUSTER.values(), margin=2)
    assert worse["hours to load"] == pytest.approx(
        needs["hours to load"] * 1.1**2 * needs["data nodes"] / worse["data nodes"]
    )
    assert worse["memory of a replica, GB"] == pytest.approx(65.6 * 1.44)


def test_a_price_by_hand(notebook):
    needs = notebook["plan"]("DISKANN", *CLUSTER.values())
    assert "queries/s" not in needs and needs["local disk, GB"] == pytest.approx(147.2)
    prices = dict(zip(notebook["PRICES"], (1, 10, 100, 1000), strict=True))
    nodes = 2 + 1 + 2 + 1
    expected = nodes * (16 + 640) + 147.2 * 100 + needs["object storage, GB"] * 1000
    assert notebook["price"](needs, 64, 16, prices) == pytest.approx(expected)


@pytest.mark.parametrize("index", ["HNSW", "HNSW with mmap", "IVF_SQ8", "DISKANN"])
def test_every_plan_is_shown_without_gaps(index, notebook, capsys):
    notebook["show_plan"](index, **CLUSTER, **notebook["PRICES"])
    out = capsys.readouterr().out.lower()
    assert "price a month" in out and "nan" not in out and "none" not in out
    assert ("hnsw only" in out) == (index != "HNSW")


@pytest.mark.parametrize("value", [1e30, float("inf"), float("nan"), -1, 0])
@pytest.mark.parametrize("name", CLUSTER)
def test_impossible_clusters_are_refused(name, value, notebook):
    with pytest.raises(HelpfulError, match=f"{name} is .*: give a number from"):
        notebook["show_plan"]("HNSW", **CLUSTER | {name: value}, **notebook["PRICES"])


def app_cells():
    book = Notebook.read(_NOTEBOOKS / "12_benchmark.ipynb")
    return [cell.source for cell in book.code if "app" in cell.metadata.get("tags", [])]


def test_the_app_runs_on_what_was_stored(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("BOOTCAMP_STORES", str(tmp_path))
    (tmp_path / "benchmark").mkdir()
    (tmp_path / "benchmark" / "costs.json").write_text(json.dumps(MEASURED))
    space = {"__name__": "app"}
    for source in app_cells():
        exec(source, space)
    assert "100 million vectors, HNSW" in capsys.readouterr().out


def test_the_app_says_when_nothing_was_stored(tmp_path, monkeypatch):
    monkeypatch.setenv("BOOTCAMP_STORES", str(tmp_path))
    with pytest.raises(HelpfulError, match="run the notebook 12_benchmark first"):
        exec("\n".join(app_cells()), {"__name__": "app"})
