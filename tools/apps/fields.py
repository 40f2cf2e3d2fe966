"""A form of a notebook as an HTML form: its fields, and their values from what a browser sends."""

import datetime
import io
import math
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets
from PIL import Image, ImageOps

from helpers.errors import HelpfulError
from helpers.widgets import LARGEST_FILE, Form, checked

LONGEST = 2_000_000  # characters of a text
PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp"}
_TILE = 120  # pixels, the side of an example's picture


def as_html(form: Form, number: int) -> str:
    """The fields of form ``number`` of an app as HTML."""
    parts = [_field(f"f{number}-{name}", name, field) for name, field in form.fields.items()]
    return "\n".join(parts)


def values_of(
    form: Form, texts: Callable[[str], list[str]], files: Callable[[str], list[tuple[str, bytes]]]
) -> dict[str, Any]:
    """The values of a form's fields.

    Args:
        form: the form.
        texts: gives the texts sent for a field's name.
        files: gives the files sent for a field's name, as (file name, content).

    Raises:
        HelpfulError: a value is none that the field takes.
    """
    values: dict[str, Any] = {}
    for name, field in form.fields.items():
        if isinstance(field, ipywidgets.FileUpload):
            sent = [{"name": n, "content": c} for n, c in files(name) if n]
            if any(len(one["content"]) > LARGEST_FILE for one in sent):
                raise HelpfulError(f"Choose a file of at most {LARGEST_FILE / 1e6:,.0f} MB.")
            values[name] = sent
            continue
        given = texts(name)
        if any(len(one) > LONGEST for one in given):
            raise HelpfulError(f"That text has more than {LONGEST:,} characters: shorten it.")
        try:
            value = _value(field, given)
        except (ValueError, IndexError, OverflowError):
            shown = ", ".join(given)[:60]
            raise HelpfulError(f"{shown!r} is no value for {_said(name, field)}.") from None
        values[name] = checked(field, value)
    return values


def has_picture(value: Any) -> bool:
    """Whether an example's value names a picture."""
    return Path(str(value)).suffix.lower() in PICTURES and Path(value).is_file()


def example_picture(value: Any) -> bytes | None:
    """A small JPEG of an example's file, if that is a picture."""
    if not has_picture(value):
        return None
    raw = io.BytesIO()
    with Image.open(value) as picture:
        ImageOps.fit(picture.convert("RGB"), (_TILE, _TILE)).save(raw, "JPEG", quality=82)
    return raw.getvalue()


def as_texts(field: ipywidgets.Widget, value: Any) -> list[str]:
    """A field's value as a browser sends it."""
    match field:
        case ipywidgets.Dropdown():
            return [str(_options(field).index(value))]
        case ipywidgets.Checkbox():
            return ["on"] if value else []
        case _ if isinstance(value, tuple | list):
            return [str(one) for one in value]
        case _ if value is None:  # a day not chosen
            return [""]
        case _:
            return [str(value)]


def _value(field: ipywidgets.Widget, given: Sequence[str]) -> Any:
    match field:
        case ipywidgets.IntRangeSlider():
            low, high = sorted(_within(field, int(float(one))) for one in given)
            return low, high
        case ipywidgets.IntText() | ipywidgets.IntSlider():
            return int(_within(field, float(given[0])))
        case ipywidgets.FloatText() | ipywidgets.FloatSlider():
            return _within(field, float(given[0]))
        case ipywidgets.Dropdown():
            return _options(field)[_index(given[0])]
        case ipywidgets.DatePicker():
            return datetime.date.fromisoformat(given[0]) if given and given[0] else None
        case ipywidgets.Checkbox():
            return bool(given)
        case ipywidgets.HBox():
            return list(given)
        case _:
            return given[0]


def _within(field: ipywidgets.Widget, number: float) -> float:
    low, high = getattr(field, "min", -math.inf), getattr(field, "max", math.inf)
    if not low <= number <= high or math.isinf(number):
        raise ValueError
    return number


def _index(text: str) -> int:
    if not text.isdecimal():
        raise ValueError
    return int(text)


def _options(field: ipywidgets.Dropdown) -> list[Any]:
    return [value for _, value in _pairs(field.options)]


def _pairs(options: Any) -> list[tuple[str, Any]]:
    return [one if isinstance(one, tuple) else (str(one), one) for one in options]


def _said(name: str, field: ipywidgets.Widget) -> str:
    return getattr(field, "description", "") or name.replace("_", " ")


def _field(key: str, name: str, field: ipywidgets.Widget) -> str:
    said = escape(_said(name, field))
    at = f'id="{key}" name="{escape(name)}"'
    label = f'<label for="{key}">{said}</label>'
    match field:
        case ipywidgets.FileUpload():
            accept = escape(field.accept)
            record = (
                '<button type="button" class="record" hidden>Record</button>'
                if "audio" in accept or ".wav" in accept
                else ""
            )
            return (
                f'<div class="drop"><label for="{key}">Drop a file here, or choose one</label>'
                f'<input type="file" {at} accept="{accept}">{record}'
                '<output class="chosen"></output></div>'
            )
        case ipywidgets.IntRangeSlider():
            low, high = field.value
            ends = [
                f'<label for="{key}-{end}">{said} {end}</label><input type="number" '
                f'id="{key}-{end}" name="{escape(name)}" min="{field.min}" max="{field.max}" '
                f'value="{value}" required>'
                for end, value in (("from", low), ("to", high))
            ]
            return f'<div class="field pair">{"".join(ends)}</div>'
        case ipywidgets.FloatSlider() | ipywidgets.IntSlider():
            return (
                f'<div class="field">{label}<input type="range" {at} min="{field.min}" '
                f'max="{field.max}" step="{field.step}" value="{field.value}">'
                f"<output>{field.value}</output></div>"
            )
        case ipywidgets.IntText() | ipywidgets.FloatText():
            step = "1" if isinstance(field, ipywidgets.IntText) else "any"
            return (
                f'<div class="field">{label}<input type="number" {at} step="{step}" '
                f'value="{field.value:g}" required></div>'
            )
        case ipywidgets.Dropdown():
            return f'<div class="field">{label}<select {at}>{_choices(field)}</select></div>'
        case ipywidgets.DatePicker():
            return f'<div class="field">{label}<input type="date" {at}></div>'
        case ipywidgets.Checkbox():
            on = " checked" if field.value else ""
            return f'<div class="field">{label}<input type="checkbox" {at}{on}></div>'
        case ipywidgets.HBox():
            lines = [
                _line(f"{key}-{i}", name, one, f"{said} {i + 1}", f"{key}-list")
                for i, one in enumerate(field.children)
            ]
            return f'<div class="field several">{"".join(lines)}{_known(key, field.children)}</div>'
        case ipywidgets.Textarea():
            return (
                f'<div class="field wide">{label}<textarea {at} rows="4" '
                f'placeholder="{escape(field.placeholder)}">{escape(field.value)}</textarea></div>'
            )
        case _:
            said = field.description or field.placeholder or name
            line = _line(key, name, field, escape(said), f"{key}-list")
            return f'<div class="field wide">{line}{_known(key, [field])}</div>'


def _line(key: str, name: str, field: ipywidgets.Widget, said: str, known: str) -> str:
    listed = f' list="{known}"' if isinstance(field, ipywidgets.Combobox) else ""
    return (
        f'<label for="{key}">{said}</label><input type="text" id="{key}" name="{escape(name)}" '
        f'value="{escape(field.value)}" autocomplete="off"{listed}>'
    )


def _known(key: str, fields: Sequence[ipywidgets.Widget]) -> str:
    """The texts that lines of text suggest."""
    known = getattr(fields[0], "options", ())
    if not known:
        return ""
    options = "".join(f'<option value="{escape(str(one))}">' for one in known)
    return f'<datalist id="{key}-list">{options}</datalist>'


def _choices(field: ipywidgets.Dropdown) -> str:
    options = []
    for i, (text, value) in enumerate(_pairs(field.options)):
        chosen = " selected" if value == field.value else ""
        options.append(f'<option value="{i}"{chosen}>{escape(str(text)) or "any"}</option>')
    return "".join(options)
