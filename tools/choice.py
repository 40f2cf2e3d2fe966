"""Which notebooks a command is for: those that its command line names, or all."""

import argparse
from pathlib import Path

from scores import NOTEBOOKS


def command_line(about: str) -> argparse.ArgumentParser:
    """A command line that takes names of notebooks.

    Args:
        about: the docstring of the command.
    """
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NOTEBOOK", help="all of them if none is named")
    return parser


def choose(names: list[str]) -> list[Path]:
    """The notebooks behind ``names`` (with or without folder and ending), all of them for none."""
    known = {path.stem: path for path in sorted(NOTEBOOKS.glob("*.ipynb"))}
    if not known:
        raise SystemExit(f"There is no notebook in {NOTEBOOKS}; is this a complete checkout?")
    for name in names:
        given = Path(name)
        elsewhere = len(given.parts) > 1 and given.resolve().parent != NOTEBOOKS
        if elsewhere or given.name.removesuffix(".ipynb") not in known:
            raise SystemExit(f"There is no notebook {name}; there are: {', '.join(known)}.")
    chosen = {Path(name).name.removesuffix(".ipynb") for name in names} or set(known)
    return [path for name, path in known.items() if name in chosen]
