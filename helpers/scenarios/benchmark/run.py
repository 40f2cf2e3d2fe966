"""Run the jobs of a benchmark one after the other; what was measured before is not repeated."""

import contextlib
import hashlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import psutil

from helpers.engines.server import install_server, private_network
from helpers.errors import HelpfulError
from helpers.paths import ROOT
from helpers.scenarios.benchmark.engines import engine_class, installed_version
from helpers.scenarios.benchmark.job import Work, family, memory_of
from helpers.scenarios.benchmark.setups import Setup
from helpers.scoreboard import write_json

_THREADS = ("OMP", "OPENBLAS", "MKL", "RAYON")


def run_setups(setups: Sequence[Setup], work: Work, folder: Path) -> pd.DataFrame:
    """Measure set-ups, each in a process of its own, and say how it went line by line.

    A result that is in the folder already, for the same set-up, work, machine and version, is taken
    from there: an interrupted run goes on where it was. A set-up whose engine is not installed is
    left out and named; so is one that fails, and the others still run.

    Args:
        setups: what to measure.
        work: on what, and by which rules.
        folder: where results are kept.

    Returns:
        A row for each set-up and effort: ``name``, ``engine``, ``index``, ``size``, ``effort``, the
        figures that a job measures, ``peak_mb`` and ``seconds`` of the whole job.
    """
    rows, failed = [], []
    for setup in setups:
        if not installed_version(setup.engine):
            failed.append(f"{setup.name}: {engine_class(setup.engine).package} is not installed")
            continue
        file = folder / f"{_key(setup, work)}.json"
        known = file.exists()
        if known:
            result = json.loads(file.read_text(encoding="utf-8"))
        else:
            try:
                result = _run(setup, work, folder)
            except HelpfulError as error:
                failed.append(f"{setup.name}: {error}")
                continue
            write_json(file, result)
        best = result["points"][-1]
        when = f", measured {result['date']}" if known else ""
        print(
            f"{setup.name:24} {work.size:>9,} vectors  recall@10 {best['recall@10']:.3f}  "
            f"{best['p50']:.2f} ms  ({result['seconds']:.0f} s{when})",
            flush=True,
        )
        rows += _rows(setup, work, result)
    for line in failed:
        print("left out: ", line)
    return pd.DataFrame(rows)


def _run(setup: Setup, work: Work, folder: Path) -> dict[str, Any]:
    """One job in its own process; its peak memory is looked at from here."""
    scratch = folder / "at-work"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    job = {"setup": asdict(setup), "work": asdict(work)}
    (scratch / "job.json").write_text(json.dumps(job), encoding="utf-8")
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
                time.sleep(0.1)
        finally:
            if process.poll() is None:  # interrupted here; the job ends its server itself
                # SIGINT is a KeyboardInterrupt there; Windows can only end a process.
                process.send_signal(signal.SIGTERM if os.name == "nt" else signal.SIGINT)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(60)
                process.kill()
    if not (scratch / "result.json").exists():
        raise HelpfulError(_last_words(scratch / "log.txt"))
    result = json.loads((scratch / "result.json").read_text(encoding="utf-8"))
    shutil.rmtree(scratch)
    seconds = time.monotonic() - start
    return result | {"peak_mb": peak / 1e6, "seconds": seconds, "date": date.today().isoformat()}


def _key(setup: Setup, work: Work) -> str:
    """A name for the result that changes with all that it depends on."""
    facts = {
        "setup": asdict(setup),
        "work": asdict(work) | {"data": Path(work.data).name},
        "machine": [platform.machine(), os.cpu_count(), platform.python_version()],
        "version": installed_version(setup.engine),
        "server": os.environ.get("MILVUS_URI") if setup.engine == "Milvus server" else None,
    }
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    return f"{setup.name}-{work.size}-{digest[:12]}".replace(" ", "-")


def _rows(setup: Setup, work: Work, result: dict[str, Any]) -> Iterator[dict[str, Any]]:
    shared = {key: value for key, value in result.items() if key != "points"}
    head = {"name": setup.name, "engine": setup.engine, "index": setup.index, "size": work.size}
    for point in result["points"]:
        effort = ", ".join(f"{name} {value}" for name, value in point["effort"].items())
        yield head | point | {"effort": effort} | shared


def _last_words(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it ended without a word (often out of memory)"
