"""Texts as they are, whatever letters and signs are in them: in HTML, in figures, in pictures."""

import html
import re
from functools import cache

import numpy as np
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
from PIL import Image

from helpers.assets import AssetError, fetch
from helpers.errors import printable

_DEJAVU = "DejaVu Sans"  # comes with matplotlib, so it is on every system
_FONTS = {"fonts_scripts": "Noto", "fonts_cjk": "Noto Sans CJK SC"}  # asset -> how families begin
_LINE_END = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")


def as_html(text: str) -> str:
    """A text in HTML as it is: no markup and no formula, its line ends kept."""
    # MathJax looks for $ and \\( in stretches without a tag.
    plain = re.sub(r"[$\\]", r"<span>\g<0></span>", html.escape(lines_of(text)))
    return plain.replace("\n", "<br>")


def lines_of(text: str) -> str:
    """A text with all its line ends as ``\\n``, and what no page can show as escapes."""
    return "\n".join(map(printable, _LINE_END.split(text.replace("\t", " " * 4))))


def drawable(text: str) -> tuple[str, list[str]]:
    """A text as figures can show it, and the fonts that it takes.

    DejaVu Sans comes with matplotlib. Fonts for other scripts are fetched when a text needs them.
    A character that none of them has is written as its number, as in ``U+1F9FF``.

    Returns:
        The text, and the names of font families, for matplotlib's ``family``.
    """
    text, families = lines_of(text), [_DEJAVU]
    missing = set(text) - _characters(_DEJAVU) - {"\n"}
    for asset, names in _FONTS.items() if missing else ():
        for name in _added(asset, names):
            if held := missing & _characters(name):
                families.append(name)
                missing -= held
    return text.translate({ord(one): f"U+{ord(one):04X}" for one in missing}), families


def written(text: str, size: int, colour: str = "black", bold: bool = False) -> Image.Image:
    """A line of text as a picture, transparent around the letters, in any script.

    Args:
        text: line ends become blanks.
        size: of the font, in pixels; the picture is 1.3 times as high.
        colour: of the letters.
        bold: whether they are bold, in fonts that can.
    """
    text, families = drawable(" ".join(text.split()))
    weights = ["bold" if bold else "normal"] + ["normal"] * len(families)  # others have no bold
    fonts = [FontProperties(family=f, weight=w) for f, w in zip(families, weights, strict=False)]
    font = font_manager.get_font([font_manager.findfont(one) for one in fonts])
    font.set_size(size, 72)  # at 72 dots an inch, a point is a pixel
    font.set_text(text)
    font.draw_glyphs_to_bitmap()
    letters = Image.fromarray(np.asarray(font.get_image()))
    mask = Image.new("L", (max(1, letters.width), round(1.3 * size)))
    mask.paste(letters, (0, round(size + font.get_descent() / 64) - letters.height))
    picture = Image.new("RGBA", mask.size, colour)
    picture.putalpha(mask)
    return picture


def shortened(text: str, width: float, size: int = 14, bold: bool = False) -> str:
    """A line of text, its middle cut out where it is wider than ``width`` pixels.

    Args:
        text, size, bold: as for ``written``; 14 pixels are the 10 points of a figure's texts.
    """
    keep = len(text)
    while keep > 2 and written(_cut(text, keep), size, bold=bold).width > width:
        keep = min(keep - 1, int(keep * 0.9))
    return _cut(text, keep)


def draw_plainly(figure: Figure) -> None:
    """Have each text of a figure drawn as it is: no formulas, and fonts that have its letters."""
    powers: set[Text] = set()  # of ten, which a log axis writes as formulas
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        labels = axis.get_ticklabels(which="both")
        names = [label.get_text() for label in axis.get_ticklabels()]
        if axis.get_scale() == "log":
            powers.update(labels)
        elif (drawn := [drawable(name)[0] for name in names]) != names:
            axis.set_ticks(axis.get_ticklocs(), drawn)
    for text in set(figure.findobj(Text)) - powers:
        plain, families = drawable(text.get_text())
        text.set(text=plain, parse_math=False, fontfamily=families)
        if len(families) > 1:  # only DejaVu Sans is there in bold, too
            text.set_fontweight("normal")


def _cut(text: str, keep: int) -> str:
    return text if keep >= len(text) else f"{text[: keep - keep // 2]}…{text[-(keep // 2) :]}"


@cache
def _characters(family: str) -> frozenset[str]:
    font = font_manager.findfont(FontProperties(family=family))
    return frozenset(map(chr, font_manager.get_font(font).get_charmap()))


@cache
def _added(asset: str, wanted: str) -> list[str]:
    """The families of an asset's fonts that begin as wanted, once matplotlib knows them."""
    fonts = font_manager.fontManager
    try:
        files = sorted(path for path in fetch(asset).rglob("*") if path.suffix in (".ttf", ".ttc"))
    except AssetError as error:
        print(f"Some characters show as their numbers, for want of a font: {error}")
        return []
    known = len(fonts.ttflist)
    for file in files:
        fonts.addfont(file)
    names = [font.name for font in fonts.ttflist[known:]]
    return [name for name in dict.fromkeys(names) if name.startswith(wanted)]
