"""Drawings of molecules: one as it is typed, and rows of results with what matched marked."""

import io
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from PIL import Image, ImageDraw
from rdkit import Chem
from rdkit.Chem import Draw, rdDepictor, rdFMCS

from helpers.inputs.texts import shortened, written
from helpers.scenarios.molecules.molecules import read_molecule
from helpers.show import COLOURS, NEUTRAL, show_figure

QUESTIONS = [
    ("Which molecules are similar to it?", "similar"),
    ("Which molecules contain it?", "contains"),
    ("Which molecules are contained in it?", "contained"),
]
_TILE = (240, 162)  # pixels of a drawing in a grid
_WORDS = 28  # pixels, the height of the words below it
_MARKERS = "os^Dv"  # one for each line, for readers who cannot tell the colours apart
_RARE = 0.3  # a Tanimoto coefficient that two drug-like molecules rarely have by chance
_SECONDS = 1  # for the largest common part of two molecules, which can take very long

_STYLE = Draw.MolDrawOptions()
_STYLE.drawMolsSameScale = False
_STYLE.fixedBondLength = 28  # pixels at most, so that a small molecule is not drawn huge
_STYLE.minFontSize = 11
# Light orange: letters in each of RDKit's colours can be read on it.
_STYLE.setHighlightColour((1.0, 0.78, 0.35))


class Hits(NamedTuple):
    """A query and what was found for it: one row of a grid.

    Attributes:
        query: the molecule or pattern that was searched for.
        title: a few words below the query.
        found: (molecule, a few words below it, its atoms to mark) of each hit, best first.
    """

    query: Chem.Mol
    title: str
    found: Sequence[tuple[Chem.Mol, str, Sequence[int]]]


def show_molecules(rows: Sequence[Sequence[tuple[str, str]]]) -> None:
    """Show rows of molecules.

    Args:
        rows: (SMILES, a few words below it) of each; rows may differ in length.
    """
    show_marked(
        [[(Chem.MolFromSmiles(smiles), words, ()) for smiles, words in row] for row in rows]
    )


def show_hits(rows: Sequence[Hits]) -> None:
    """Show queries in dark frames, each with its hits beside it, turned like the query.

    Args:
        rows: queries with hits; they may differ in how many.
    """
    tiles = []
    for row in rows:
        tiles.append([(row.query, row.title, ())])
        for mol, words, atoms in row.found:
            turned = turned_like(row.query, mol, shared_part(row.query, mol))
            tiles[-1].append((turned, words, atoms))
    show_marked(tiles, NEUTRAL)


def found_in_words(kind: str, found: Sequence[Mapping[str, Any]]) -> str:
    """The answer to a question in a sentence.

    Args:
        kind: of ``QUESTIONS``.
        found: the records of the hits, best first; of similar ones with their ``tanimoto``.
    """
    if not found:
        return "Nothing that is stored, of such a weight, answers this."
    if kind == "similar":
        best = found[0]["tanimoto"]
        said = "two by chance rarely have .3" if best >= _RARE else "nothing here is much like it"
        return f"Best Tanimoto coefficient: {best:.2f}; {said}. What they share is marked."
    what = "contain it, the lightest first"
    if kind == "contained":
        what = "lie in it, the heaviest first"
    return f"{len(found):,} of the stored molecules and blocks {what}."


def show_typed(smiles: str, question: str, **_: Any) -> None:
    """Draw what somebody has typed so far, and say what was left out.

    Args:
        smiles: a SMILES, or nothing.
        question: one of ``QUESTIONS``; a wildcard has a meaning for one of them only.

    Raises:
        BadItem: it cannot be read.
    """
    if smiles.strip():
        found = read_molecule(smiles, wildcards=question == "contains")
        show_marked([[(found.mol, "", ())]])
        print(found.note)


def show_marked(
    rows: Sequence[Sequence[tuple[Chem.Mol, str, Sequence[int]]]], first: str = "#cccccc"
) -> None:
    """Show rows of molecules with atoms marked.

    Args:
        rows: (molecule, a few words below it, places of the atoms to mark) of each.
        first: the colour of the frame around the first molecule of each row.
    """
    from IPython.display import Image as Png
    from IPython.display import display

    width, height = _TILE[0], _TILE[1] + _WORDS
    picture = Image.new("RGB", (width * max(map(len, rows)), height * len(rows)), "white")
    pen = ImageDraw.Draw(picture)
    for y, row in enumerate(rows):
        for x, (mol, words, atoms) in enumerate(row):
            left, top = x * width, y * height
            drawn = Draw.MolToImage(mol, _TILE, options=_STYLE, highlightAtoms=atoms)
            picture.paste(drawn, (left, top))
            text = written(shortened(words, width - 16, 15), 15)
            picture.paste(text, (left + (width - text.width) // 2, top + _TILE[1]), text)
            corners = (left + 4, top + 3, left + width - 4, top + height - 3)
            pen.rectangle(corners, outline="#cccccc" if x else first, width=1 if x else 2)
    png = io.BytesIO()
    picture.quantize(256).save(png, "PNG", optimize=True)  # at half the size
    display(Png(png.getvalue()))


def show_similarities(kinds: Mapping[str, np.ndarray]) -> None:
    """Show how Tanimoto's coefficients of several kinds of pairs are distributed.

    Args:
        kinds: what the pairs are -> their coefficients, from 0 to 1.
    """
    figure, axes = plt.subplots(figsize=(8, 3))
    steps = np.linspace(0, 1, 51)
    for (kind, values), colour in zip(kinds.items(), COLOURS, strict=False):
        share = 100 * np.histogram(values, steps)[0] / max(1, len(values))
        axes.stairs(share, steps, fill=True, alpha=0.5, color=colour, label=kind)
    axes.set(xlabel="Tanimoto's coefficient", ylabel="% of pairs, in steps of .02")
    axes.legend()
    show_figure(figure)


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


def turned_like(model: Chem.Mol, mol: Chem.Mol, part: Chem.Mol) -> Chem.Mol:
    """A copy of a molecule, turned on paper like another one.

    Args:
        model: the other one.
        mol: what to turn.
        part: the part that both contain; where it is very small or missing, nothing is turned.
    """
    model, mol = Chem.Mol(model), Chem.Mol(mol)
    if part.GetNumAtoms() > 2 and mol.HasSubstructMatch(part):
        rdDepictor.Compute2DCoords(model)
        rdDepictor.GenerateDepictionMatching2DStructure(mol, model, refPatt=part)
    return mol
