"""Run the jobs of a benchmark one after the other; what was measured before is not repeated."""

import contextlib
import hashlib
import importlib.metadata
import inspect
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import cloudpickle
import pandas as pd
import psutil

from helpers.engines.server import install_server, private_network
from helpers.errors import HelpfulError
from helpers.paths import ROOT
from helpers.scenarios.benchmark import job
from helpers.scenarios.benchmark.engines import Engine
from helpers.scenarios.benchmark.job import Measure, Work, family, memory_of
from helpers.scenarios.benchmark.setups import Setup
from helpers.scoreboard import write_json

_THREADS = ("OMP", "OPENBLAS", "MKL", "RAYON")


def run_setups(
    setups: Sequence[Setup],
    work: Work,
    folder: Path,
    engines: Mapping[str, type[Engine]],
    measure: Measure,
) -> pd.DataFrame:
    """Measure set-ups, each in a process of its own, and say how it went line by line.

    A result that is in the folder already, for the same set-up, work, machine, versions, engine and
    way of measuring, is taken from there: an interrupted run goes on where it was. A set-up that
    fails is named, and the others still run.

    Args:
        setups: what to measure.
        work: on what, and by which rules.
        folder: where results are kept.
        engines: the class of each engine. It and ``measure`` may be defined in a notebook: they go
            to the process by cloudpickle, which takes their code along.
        measure: what measures searches.

    Returns:
        A row for each set-up and load: ``engine`` with its version, ``kind`` (the engine without),
        ``index``, ``name`` (engine and index), ``size``, the fields of the load, the figures that
        a job measures, ``ready_s`` (insert and build), ``peak_mb`` and ``seconds`` of the whole
        job.
    """
    rows, failed = [], []
    for setup in setups:
        engine = engines[setup.engine]
        file = folder / f"{_key(setup, work, engine, measure)}.json"
        known = file.exists()
        if known:
            result = json.loads(file.read_text(encoding="utf-8"))
        else:
            try:
                result = _run((engine, measure, setup, work), folder)
            except HelpfulError as error:
                failed.append(f"{setup.name}: {error}")
                continue
            write_json(file, result)
        rows += _rows(setup, work, result)
        one = rows[-1]
        when = f", measured {result['date']}" if known else ""
        print(f"{one['name']:28} {work.size:>9,} vectors {result['seconds']:5.0f} s{when}")
    for line in failed:
        print("left out: ", line)
    return pd.DataFrame(rows)


def _run(task: tuple[Any, ...], folder: Path) -> dict[str, Any]:
    """One job in its own process; its peak memory is looked at from here."""
    scratch, (*_, setup, work) = folder / f"at-work-{os.getpid()}", task
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    (scratch / "job.pickle").write_bytes(cloudpickle.dumps(task))
    threads = {f"{name}_NUM_THREADS": str(work.threads) for name in _THREADS}
    threads["LANCE_CPU_THREADS"] = str(work.threads)
    command = [sys.executable, "-m", "helpers.scenarios.benchmark.job", str(scratch)]
    settings = os.environ | threads
    if "://" not in settings.get("MILVUS_URI", ""):
        settings.pop("MILVUS_URI", None)  # pymilvus cannot read a path there
        if setup.engine == "Milvus server":
            install_server()  # there is no way to the package index from its network
            command = private_network(command)
    start, peak = time.monotonic(), 0
    with (scratch / "log.txt").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=settings, stdout=log, stderr=log)
        try:
            while process.poll() is None:
                peak = max(peak, memory_of([psutil.Process(), *family(process.pid)]))
                time.sleep(0.25)
        finally:
            if process.poll() is None:  # interrupted here; the job ends its server itself
                # SIGINT is a KeyboardInterrupt there; Windows can only end a process.
                process.send_signal(signal.SIGTERM if os.name == "nt" else signal.SIGINT)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(60)
                process.kill()
    if not (scratch / "result.json").exists():
        said = (scratch / "log.txt").read_text(encoding="utf-8", errors="replace").strip()
        raise HelpfulError(
            (said or "it ended without a word (often out of memory)").split("\n")[-1]
        )
    result = json.loads((scratch / "result.json").read_text(encoding="utf-8"))
    shutil.rmtree(scratch)
    seconds = time.monotonic() - start
    return result | {"peak_mb": peak / 1e6, "seconds": seconds, "date": date.today().isoformat()}


def _key(setup: Setup, work: Work, engine: type[Engine], measure: Measure) -> str:
    """A name for the result that changes with all that it depends on."""
    version = importlib.metadata.version(engine.package)
    server = setup.engine == "Milvus server"
    facts = {
        "setup": asdict(setup),
        "work": asdict(work) | {"data": Path(work.data).name},
        "machine": [platform.machine(), os.cpu_count(), platform.python_version()],
        "version": version,
        "server": os.environ.get("MILVUS_URI") if server else None,
        "code": [_source(engine), _source(measure), inspect.getsource(job)],
    }
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    return f"{setup.name}-{work.size}-{digest[:12]}".replace(" ", "-")


def _source(thing: Any) -> str:
    """The code of a function and of those beside it that it calls, or of all a class can do.

    Python finds no source of a class that a notebook defines, but that of its functions.
    """
    if inspect.isfunction(thing):
        called = [thing.__globals__.get(name) for name in thing.__code__.co_names]
        parts = [part for part in called if getattr(part, "__module__", "") == thing.__module__]
        return inspect.getsource(thing) + "".join(map(_source, filter(inspect.isfunction, parts)))
    return "".join(
        inspect.getsource(value)
        for base in inspect.getmro(thing)
        for name, value in vars(base).items()
        if inspect.isfunction(value) and not name.startswith("__")
    )


def _rows(setup: Setup, work: Work, result: dict[str, Any]) -> Iterator[dict[str, Any]]:
    shared = {key: value for key, value in result.items() if key != "points"}
    engine = f"{setup.engine.removesuffix(' server')} {result['version']}"
    head = {"kind": setup.engine, "engine": engine, "index": setup.index}
    head |= {"name": f"{engine} {setup.index}", "size": work.size}
    head |= {"ready_s": result["insert_s"] + result["build_s"]}
    for point in result["points"]:
        effort = ", ".join(f"{name} {value}" for name, value in point["effort"].items())
        yield head | {"writes": 0} | point | {"effort": effort} | shared
