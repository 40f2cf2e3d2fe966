"""Drawings of molecules: rows of results with what matched marked, and a box for a SMILES."""

import io
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import ipywidgets
import matplotlib.pyplot as plt
import pandas as pd
from PIL import Image
from rdkit import Chem
from rdkit.Chem import rdDepictor, rdFMCS
from rdkit.Chem.Draw import rdMolDraw2D

from helpers.errors import BadItem
from helpers.scenarios.molecules.molecules import read_molecule
from helpers.show import COLOURS, NEUTRAL, show_figure
from helpers.widgets import run_button

KINDS = {
    "similar": "are similar to it",
    "contains": "contain it",
    "contained": "are contained in it",
}
_TILE = (300, 210)  # pixels of a drawing in a grid
_MARK = (1.0, 0.78, 0.35)  # light orange: letters in each of RDKit's colours can be read on it
_MARKERS = "os^Dv"  # one for each line, for readers who cannot tell the colours apart
_SECONDS = 1  # for the largest common part of two molecules, which can take very long


class Hits(NamedTuple):
    """A query and what was found for it: one row of a grid.

    Attributes:
        kind: ``"similar"``, ``"contains"`` or ``"contained"``, as in ``KINDS``.
        query: the molecule or pattern that was searched for.
        title: a few words below the query.
        found: (SMILES, a few words below it) of each hit, best first.
    """

    kind: str
    query: Chem.Mol
    title: str
    found: Sequence[tuple[str, str]]


def show_molecules(rows: Sequence[Sequence[tuple[str, str]]]) -> None:
    """Show rows of molecules.

    Args:
        rows: (SMILES, a few words below it) of each; rows may differ in length.
    """
    _grid([[(draw(Chem.MolFromSmiles(smiles)), words) for smiles, words in row] for row in rows])


def show_hits(rows: Sequence[Hits]) -> None:
    """Show queries, each with its hits beside it, what they share marked.

    Similar molecules have the largest part marked that they share with the query; molecules that
    contain it, the query; and where the hit is contained in the query, the query is drawn again
    with the hit marked in it.

    Args:
        rows: queries with hits; they may differ in how many.
    """
    tiles = [
        [
            (draw(row.query), row.title),
            *((_draw_hit(row, smiles), caption) for smiles, caption in row.found),
        ]
        for row in rows
    ]
    _grid(tiles, framed=True)


def _grid(rows: Sequence[Sequence[tuple[bytes, str]]], framed: bool = False) -> None:
    """Drawings with captions, the first of each row perhaps in a frame."""
    columns = max(len(row) for row in rows)
    size = (columns * _TILE[0] / 125, len(rows) * (0.3 + _TILE[1] / 125))
    figure, axes = plt.subplots(len(rows), columns, figsize=size, squeeze=False, layout="tight")
    for row, places in zip(rows, axes, strict=True):
        for place, (png, caption) in zip(places, row, strict=False):
            place.imshow(Image.open(io.BytesIO(png)))
            place.set_xlabel(caption, fontsize=11)
            place.set(xticks=[], yticks=[])
            plt.setp(place.spines.values(), color="#cccccc")
        if framed:
            plt.setp(places[0].spines.values(), color=NEUTRAL, linewidth=2)
        for place in places[len(row) :]:
            place.axis("off")
    show_figure(figure)


def _draw_hit(row: Hits, smiles: str) -> bytes:
    hit = Chem.MolFromSmiles(smiles)
    if row.kind == "contained":
        return draw(row.query, row.query.GetSubstructMatch(hit))
    part = row.query if row.kind == "contains" else shared_part(row.query, hit)
    return draw(hit, hit.GetSubstructMatch(part), row.query, part)


def show_growth(measured: pd.DataFrame, longer: pd.DataFrame) -> None:
    """Show how the time of a query grows with the molecules stored, a panel for each question.

    Args:
        measured: columns ``question``, ``way`` (who answers), ``molecules`` and ``ms``.
        longer: likewise, of another run; drawn hollow, for ways that were measured only, and only
            where it had more molecules.
    """
    longer = longer[longer.molecules > measured.molecules.max()]
    label = "molecules stored" + " (hollow: another run)" * (len(longer) > 0)
    questions = list(measured.question.unique())
    figure, panels = plt.subplots(1, len(questions), figsize=(10, 3.6), sharey=True, squeeze=False)
    for way, colour, mark in zip(measured.way.unique(), COLOURS, _MARKERS, strict=False):
        for axes, question in zip(panels[0], questions, strict=True):
            here, far = (
                frame[(frame.way == way) & (frame.question == question)]
                for frame in (measured, longer)
            )
            line = pd.concat([here, far])
            axes.plot(line.molecules, line.ms, mark + "--", color=colour, mfc="white")
            axes.plot(here.molecules, here.ms, mark + "-", color=colour, label=way)
            axes.set(xscale="log", yscale="log", title=question, xlabel=label)
            ticks = pd.concat([measured, longer]).molecules.round(-3).unique()
            axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
            axes.minorticks_off()
    panels[0, 0].set_ylabel("ms of one query (median)")
    panels[0, -1].legend(loc="center left", bbox_to_anchor=(1, 0.5))
    show_figure(figure)


def shared_part(one: Chem.Mol, other: Chem.Mol) -> Chem.Mol:
    """The largest connected part that two molecules share, rings whole, as a pattern.

    The search for it ends after a second with the best so far, which may be empty.
    """
    found = rdFMCS.FindMCS(
        [one, other], timeout=_SECONDS, ringMatchesRingOnly=True, completeRingsOnly=True
    )
    return Chem.MolFromSmarts(found.smartsString)


def draw(
    mol: Chem.Mol,
    atoms: Sequence[int] = (),
    like: Chem.Mol | None = None,
    part: Chem.Mol | None = None,
    size: tuple[int, int] = _TILE,
) -> bytes:
    """Draw a molecule as a PNG.

    Args:
        mol: what to draw; it is left as it is.
        atoms: the numbers of the atoms to mark, with the bonds between them.
        like: a molecule to turn this one like, as it would be drawn itself.
        part: the part that both contain, by which to turn; needed with ``like``.
        size: width and height in pixels.
    """
    mol = Chem.Mol(mol)
    rdDepictor.Compute2DCoords(mol)
    if like is not None and part.GetNumAtoms() > 2 and mol.HasSubstructMatch(part):
        model = Chem.Mol(like)
        rdDepictor.Compute2DCoords(model)
        rdDepictor.GenerateDepictionMatching2DStructure(mol, model, refPatt=part)
    marked = set(atoms)
    ends = [
        (bond.GetIdx(), {bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()}) for bond in mol.GetBonds()
    ]
    bonds = [bond for bond, pair in ends if pair <= marked]
    canvas = rdMolDraw2D.MolDraw2DCairo(*size)
    options = canvas.drawOptions()
    options.fixedBondLength = 26  # pixels at most, so that a small molecule is not drawn huge
    options.minFontSize = 11
    options.setHighlightColour(_MARK)
    rdMolDraw2D.PrepareAndDrawMolecule(
        canvas, mol, highlightAtoms=sorted(marked), highlightBonds=bonds
    )
    canvas.FinishDrawing()
    return canvas.GetDrawingText()


def molecule_box(
    handle: Callable[[str, str, tuple[int, int]], Any], weights: tuple[int, int] = (0, 500)
) -> ipywidgets.Widget:
    """A line for a SMILES that is drawn while it is typed, a choice of search, and a button.

    Args:
        handle: called with the SMILES, a key of ``KINDS`` and the molecular weights, lowest and
            highest, that hits may have; what it prints or displays is shown below.
        weights: the lowest and the highest weight to choose from, in dalton.

    What is wrong with a SMILES stands below the line as it is typed.
    """
    wide = ipywidgets.Layout(width="420px")
    text = ipywidgets.Text(placeholder="a SMILES, such as CCO", continuous_update=True, layout=wide)
    picture = ipywidgets.Image(format="png", value=_blank())
    note = ipywidgets.HTML()
    kind = ipywidgets.Dropdown(
        options=[(f"Which molecules {says}?", kind) for kind, says in KINDS.items()], layout=wide
    )
    weight = ipywidgets.IntRangeSlider(
        value=weights, min=weights[0], max=weights[1], description="weight (Da)", layout=wide
    )
    button, result = run_button("Search", lambda: handle(text.value, kind.value, weight.value))

    def look(_: Any = None) -> None:
        picture.value, note.value = _preview(text.value, kind.value)

    text.observe(look, "value")
    kind.observe(look, "value")
    controls = ipywidgets.VBox([text, kind, weight, button, note])
    return ipywidgets.VBox([ipywidgets.HBox([controls, picture]), result])


def _preview(text: str, kind: str) -> tuple[bytes, str]:
    """The drawing of what is typed, and what there is to say about it."""
    if not text.strip():
        return _blank(), ""
    try:
        found = read_molecule(text, wildcards=kind == "contains")
    except BadItem as error:
        return _blank(), str(error).replace("&", "&amp;").replace("<", "&lt;")
    return draw(found.mol), found.note


def _blank() -> bytes:
    png = io.BytesIO()
    Image.new("RGB", _TILE, "white").save(png, format="PNG")
    return png.getvalue()
