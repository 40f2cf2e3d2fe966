"""Try the newest of everything that requirements.txt names, in an environment of its own.

python3 tools/newest.py                          all tests, then the notebooks one by one
python3 tools/newest.py 01_image_search          this notebook alone
python3 tools/newest.py --tests tests/engines    these tests alone; none after --tests: only install

It leaves .venv and the locks alone: all lies in build/newest/, and report.md there says what broke.
Versions that a file named by the environment variable UV_CONSTRAINT rules out are not tried.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import venv
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import lock
from lock import ROOT

BUILD = ROOT / "build" / "newest"
ENVIRONMENT = BUILD / "environment"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
PIP = [PYTHON, "-m", "pip", "install", "--quiet", "--no-compile", "--no-deps"]
UNKNOWN = "unknown"
NO_TESTS = 5  # as pytest says that it has collected none


@dataclass
class Breakage:
    """What went wrong in one place, a test or a notebook."""

    place: str
    error: str
    traceback: str


def pins(text: str) -> dict[str, str]:
    """The versions in lines such as ``name==1.0``, by name."""
    return dict(re.findall(r"^([\w.-]+)(?:\[.*?\])?==([^\s;]+)", text, re.M))


def resolve_newest() -> tuple[str, dict[str, str]]:
    """The newest versions that fit together, a line each, and the newest there are, by name."""
    wanted = BUILD / "requirements.txt"
    wanted.write_text(re.sub(r"==[^;\s]+", "", (ROOT / "requirements.txt").read_text()))
    python = "--python", sys.executable
    together = lock.resolve(wanted, *python)
    os.environ.pop("UV_CONSTRAINT", None)
    return together, pins(lock.resolve(wanted, *python, "--no-deps"))


def install(lines: str) -> None:
    """Make the environment, unless it is there with these very versions."""
    stamp = BUILD / "installed.txt"
    if stamp.exists() and stamp.read_text() == lines:
        return
    stamp.unlink(missing_ok=True)
    print(f"Installing {len(pins(lines))} packages into {ENVIRONMENT}", flush=True)
    venv.create(ENVIRONMENT, clear=True, with_pip=True, symlinks=os.name != "nt")
    torch = [line for line in lines.splitlines() if lock.TORCH.match(line)]
    source = [line for line in lines.splitlines() if line.startswith(lock.SOURCE_ONLY)]
    wheels = [line for line in lines.splitlines() if line not in [*torch, *source]]
    cpu = f"torch=={pins(lines)['torch']}+cpu"
    if subprocess.run([*PIP, cpu], capture_output=True).returncode:
        print("pip knows no CPU build of this PyTorch here: taking what the package index has")
        wheels += torch
    for kind, options, part in (
        ("wheels", "--only-binary=:all:", wheels),
        ("source", "--no-build-isolation", source),
    ):
        file = BUILD / f"{kind}.txt"
        file.write_text("\n".join(part))
        subprocess.run([*PIP, options, "-r", file], check=True)
    (packages,) = ENVIRONMENT.glob("[Ll]ib/**/site-packages")
    (packages / "bootcamp.pth").write_text(str(ROOT))
    stamp.write_text(lines)


def settings() -> dict[str, str]:
    """The environment variables for what runs: embedded engines, in folders of their own."""
    own = {"BOOTCAMP_STORES": str(BUILD / "stores"), "BOOTCAMP_BUILD": str(BUILD)}
    servers = "MILVUS_URI", "MILVUS_TOKEN", "REDIS_URL"
    return {name: value for name, value in os.environ.items() if name not in servers} | own


def run_tests(*arguments: str) -> list[Breakage]:
    """Run pytest; the first error of every file in which something broke."""
    results = BUILD / "tests.xml"
    results.unlink(missing_ok=True)
    command = [PYTHON, "-m", "pytest", "--tb=short", "--continue-on-collection-errors"]
    command += ["-p", "no:cacheprovider", "-o", "junit_family=xunit1", f"--junitxml={results}"]
    status = subprocess.run([*command, *arguments], cwd=ROOT, env=settings()).returncode
    broken: dict[str, Breakage] = {}
    for case in ElementTree.parse(results).iter("testcase") if results.exists() else ():
        for problem in (*case.iter("failure"), *case.iter("error")):
            place = case.get("file") or case.get("classname") or case.get("name")
            text = problem.text or ""
            error = re.search(r"^E +(.*)", text, re.M)
            error = f"{case.get('name')}: {error[1] if error else problem.get('message')}"
            broken.setdefault(place, Breakage(place, error, text))
    if status and status != NO_TESTS and not broken:
        return [Breakage("pytest", f"it ended with status {status}", "")]
    return list(broken.values())


def run_notebook(name: str) -> list[Breakage]:
    """Execute a notebook into build/newest/; what stopped it."""
    executed = BUILD / f"{name}.ipynb"
    executed.unlink(missing_ok=True)
    print(f"{name} …", flush=True)
    command = [PYTHON, ROOT / "tools" / "run_notebooks.py", "--force", name]
    run = subprocess.run(command, env=settings(), stdout=subprocess.PIPE, encoding="utf-8")
    if not run.returncode:
        return []
    said = re.findall(rf"^FAILED {name}  (.*)", run.stdout, re.M)
    cells = json.loads(executed.read_text(encoding="utf-8"))["cells"] if executed.exists() else []
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    traceback = "\n".join(line for one in outputs for line in one.get("traceback", []))
    error = said[-1] if said else f"it ended with status {run.returncode}"
    return [Breakage(name, error, traceback)]


def blame(traceback: str, owners: dict[str, list[str]], changed: set[str]) -> str:
    """The package that an error comes from, if its version is new, else "unknown".

    Args:
        traceback: of the error; its innermost installed module counts.
        owners: the names of the packages that install a module, by its name.
        changed: the names of the packages whose version is new.
    """
    modules = re.findall(r"site-packages[/\\](\w+)", traceback) or [""]
    names = {re.sub(r"[-_.]+", "-", name).lower() for name in owners.get(modules[-1], [])}
    return names.pop() if len(names) == 1 and names <= changed else UNKNOWN


def table(
    pinned: dict[str, str],
    tried: dict[str, str],
    newest: dict[str, str],
    broken: dict[str, list[Breakage]],
) -> str:
    """What is newer than its pin, and what broke, as a Markdown table.

    Args:
        pinned: the versions of the locks.
        tried: the versions installed.
        newest: the newest versions of direct dependencies, whether they fit to the others or not.
        broken: what broke, by the package it comes from.
    """
    lines = ["| package | pinned | newest | what broke |", "|---|---|---|---|"]
    moved = {name for name in newest if not pinned.get(name) == tried.get(name) == newest[name]}
    for name in sorted(moved | set(broken), key=lambda name: (name == UNKNOWN, name)):
        installed = tried.get(name, "")
        version = newest.get(name, installed)
        if version != installed:
            version += f" (tried: {installed or 'none'})"
        errors = [f"{one.place}: {one.error}"[:300] for one in broken.get(name, [])]
        what = "<br>".join(" ".join(error.split()) for error in errors).replace("|", "\\|")
        lines.append(f"| {name} | {pinned.get(name, '')} | {version} | {what} |")
    same = len(newest) - len(moved)
    return "\n".join([*lines, "", f"{same} of {len(newest)} are pinned at their newest version."])


def main() -> int:
    """Resolve, install, run and report; 1 if something broke."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NOTEBOOK")
    parser.add_argument("--tests", nargs="*", metavar="PATH", help="files or folders of tests")
    options = parser.parse_args()
    whole = not options.names and options.tests is None
    known = sorted(path.stem for path in ROOT.glob("notebooks/*.ipynb"))
    names = known if whole else [Path(name).stem for name in options.names]
    if strange := set(names) - set(known):
        parser.error(f"there is no notebook {', '.join(strange)}; there are: {', '.join(known)}")
    BUILD.mkdir(parents=True, exist_ok=True)

    lines, newest = resolve_newest()
    install(lines)
    locks = (path.read_text() for path in lock.LOCKS.glob("*[!u].txt"))  # not torch-cpu.txt
    pinned, tried = pins("\n".join(locks)), pins(lines)
    changed = {name for name in tried if tried[name] != pinned.get(name)}
    ask = "import importlib.metadata as m, json; print(json.dumps(m.packages_distributions()))"
    owners = json.loads(subprocess.check_output([PYTHON, "-c", ask]))

    parts = [partial(run_tests, *(options.tests or []))] if whole or options.tests else []
    parts += [partial(run_notebook, name) for name in names]
    parts += [partial(run_tests, "-m", "browser", "tests/apps")] if whole else []
    if parts:
        subprocess.run([PYTHON, "-m", "helpers.assets"], cwd=ROOT, check=True)
    broken: dict[str, list[Breakage]] = {}
    # The report is there even if this is stopped.
    for done in range(len(parts) + 1):
        for one in parts[done - 1]() if done else []:
            broken.setdefault(blame(one.traceback, owners, changed), []).append(one)
        what = " ".join(sys.argv[1:]) or "all tests and notebooks"
        where = f"Python {platform.python_version()}, {platform.platform()}"
        head = f"{where}: {what}, {done} of {len(parts)} parts run."
        report = f"{head}\n\n{table(pinned, tried, newest, broken)}\n"
        (BUILD / "report.md").write_text(report, encoding="utf-8")
    print(f"\n{report}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
