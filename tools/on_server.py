"""Run the notebooks on real servers: Milvus 2.3.5, which a wheel carries, and a guarded Redis.

python tools/on_server.py                    all of them, into build/server/
python tools/on_server.py 01_image_search    one
python tools/on_server.py --publish          all, and write into the README what ran on what

The servers run in a network of their own, which nothing outside can reach. Where the system allows
none, nothing is started.

A notebook that needs what this old Milvus lacks has to stop with the sentence that says so.
"""

import contextlib
import datetime
import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from choice import command_line
from readme import README, fill
from scores import NOTEBOOKS, ROOT

from helpers.engines import server
from helpers.engines.redis_server import find_redis_server
from helpers.errors import HelpfulError
from helpers.scoreboard import write_json

BUILD = ROOT / "build" / "server"
RUNS = NOTEBOOKS / "servers.json"
"""What was run on servers, from which the README's table is written."""

STOPS = {
    "09_text_search": "HelpfulError: This Milvus has no full-text search",
    "10_multimodal_search": "HelpfulError: This Milvus takes one vector a row",
}
"""The notebooks that Milvus 2.3.5 is too old for, and how they say so."""


def judge(report: dict) -> dict[str, str]:
    """What went otherwise than it should, by notebook, of what ``engines.examine`` found."""
    wrong = {}
    for name, notebook in report["notebooks"].items():
        problem = notebook["problem"]
        if name in STOPS and STOPS[name] not in problem:
            wrong[name] = f"should have stopped with its sentence: {problem or 'it ran'}"
        elif name not in STOPS and problem:
            wrong[name] = problem
    return wrong


def table(runs: dict[str, dict]) -> str:
    """What ran on what, as a Markdown table with a row for every notebook."""
    rows = ["| notebook | engines | day | there |", "|---|---|---|---|"]
    for name in sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb")):
        run = runs.get(name, {"engines": "", "day": "", "says": ["not run"]})
        rows.append(f"| {name} | {run['engines']} | {run['day']} | {'; '.join(run['says'])} |")
    return "\n".join(rows)


def publish(report: dict, names: list[str]) -> None:
    """Write what is known of ``names`` into the records, and the records into the README."""
    of = report["versions"]
    engines = f"{of['server']}, Redis {of['Redis']}, pymilvus {of['pymilvus']}"
    runs = json.loads(RUNS.read_text(encoding="utf-8")) if RUNS.exists() else {}
    for name in names:
        notebook = report["notebooks"][name]
        stop = r"stops in cell \1: \2"
        first = re.sub(r"cell (\d+): HelpfulError: (.*)", stop, notebook["problem"]) or "ran"
        says = [first, *notebook["ways"]]
        runs[name] = {"engines": engines, "day": f"{datetime.date.today()}", "says": says}
    write_json(RUNS, {name: runs[name] for name in sorted(runs)})
    readme = fill(README.read_text(encoding="utf-8"), "servers", table(runs))
    README.write_text(readme, encoding="utf-8")


def run_inside(names: list[str]) -> dict:
    """Start both servers, run notebooks on them, and give the report of ``engines.examine``."""
    BUILD.mkdir(parents=True, exist_ok=True)
    (BUILD / "engines.json").unlink(missing_ok=True)
    asks = {"common.security.authorizationEnabled": "true"}
    with (
        tempfile.TemporaryDirectory() as folder,
        _guarded_redis(Path(folder)) as redis,
        server.running_server(Path(folder) / "milvus", asks) as milvus,
    ):
        where = {
            **{"MILVUS_URI": milvus, "MILVUS_TOKEN": "root:Milvus", "REDIS_URL": redis},
            **{"BOOTCAMP_STORES": f"{folder}/stores", "BOOTCAMP_BUILD": str(BUILD)},
        }
        run = [sys.executable, ROOT / "tools" / "run_notebooks.py", "--force", "--timeout", "3600"]
        subprocess.run([*run, *names], env=os.environ | where, check=False)
    if not (BUILD / "engines.json").exists():
        raise SystemExit("The run broke off before its end; what it said stands above.")
    return json.loads((BUILD / "engines.json").read_text(encoding="utf-8"))


def main() -> int:
    """Run what the command line names, in a network of its own; 0 when all went as it should."""
    parser = command_line(__doc__)
    parser.add_argument(
        "--publish", action="store_true", help="write what went well into the README"
    )
    parser.add_argument(
        "--where-possible", action="store_true", help="do nothing where it is not possible"
    )
    options = parser.parse_args()
    if not server.is_private():
        return _in_a_network_of_its_own(options.where_possible)
    report = run_inside(options.names)
    wrong = judge(report)
    for name, why in wrong.items():
        print(f"Not as it should be: {name}, {why}")
    right = [name for name in report["notebooks"] if name not in wrong]
    if options.publish and right:
        publish(report, right)
    return 1 if wrong else 0


def _in_a_network_of_its_own(where_possible: bool) -> int:
    command = [sys.executable, __file__, *sys.argv[1:]]
    try:
        server.install_server()  # There is no way to the package index from inside.
        private = server.private_network(command)
        if private == command:
            raise HelpfulError(
                "This system lets no user make a network of their own (unshare --net), and in an "
                "open one the server is not started."
            )
    except HelpfulError as error:
        print(f"No notebook was run on servers: {error}")
        return 0 if where_possible else 1
    return subprocess.run(private, cwd=ROOT, check=False).returncode


@contextlib.contextmanager
def _guarded_redis(folder: Path) -> Iterator[str]:
    """The address of a redis-server that wants a password."""
    password, port = secrets.token_hex(16), 6379  # Nobody else can have it in this network.
    settings = f'port {port}\nbind 127.0.0.1\nrequirepass {password}\ndir {folder}\nsave ""\n'
    process = subprocess.Popen(
        [find_redis_server(), "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    process.stdin.write(settings.encode())
    process.stdin.close()
    try:
        yield f"redis://:{password}@127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("\nStopped.")
