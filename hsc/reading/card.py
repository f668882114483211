"""The card of a dataset: what it is, for a terminal and for a notebook.

All that is shown comes from files of other people: control characters are worded in a terminal, and
everything is escaped in HTML.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator
from html import escape

from hsc.errors import HscError
from hsc.layouts import facilities
from hsc.model import Dataset
from hsc.reading.opened import OpenedDataset

_SHOWN_ARRAYS = 12
_LONGEST = 200
_PICTURE = "preview.png"
_PNG = b"\x89PNG\r\n\x1a\n"
_LARGEST_PICTURE_BYTES = 2_000_000
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def cite(record: Dataset) -> str:
    """Say how to cite a dataset, in one line."""
    known = facilities().get(record.facility)
    facility = known.name if known else record.facility
    return (
        f"{facility} ({record.created.year}): {record.title}. Version {record.version}. "
        f"{record.pid}"
    )


def show_text(dataset: OpenedDataset) -> str:
    """Show what a dataset is, in lines for a terminal. No chunk is read."""
    record = dataset.record
    lines = [f"{_line(record.title) or 'untitled'}   {record.pid}@{record.version}"]
    facts = [(_line(label), _line(value)) for label, value in _facts(dataset)]
    wide = max(len(label) for label, _ in facts)
    lines += [f"  {label:<{wide}}  {value}" for label, value in facts]
    rows = list(_rows(dataset))
    if rows:
        lines.append("  arrays")
        lines += [f"    {_line(path)}  {shape}  {dtype}" for path, shape, dtype in rows]
    lines += [f"    {each}" for each in _more(dataset)]
    lines.append("  xarray's own view: .hsc.xarray()   by HDF5 path: .hsc.h5")
    return "\n".join(lines)


def show_html(dataset: OpenedDataset) -> str:
    """Show what a dataset is, as HTML for a notebook, its picture inline. No chunk is read."""
    record = dataset.record
    facts = "".join(
        f"<tr><th style='text-align:left'>{escape(_line(label))}</th>"
        f"<td style='text-align:left'>{escape(_line(value))}</td></tr>"
        for label, value in _facts(dataset)
    )
    rows = "".join(
        f"<tr><td style='text-align:left'><code>{escape(_line(path))}</code></td>"
        f"<td>{escape(shape)}</td><td>{escape(dtype)}</td></tr>"
        for path, shape, dtype in _rows(dataset)
    )
    more = "".join(f"<p>{escape(each)}</p>" for each in _more(dataset))
    return (
        "<div class='hsc-dataset'>"
        f"<h3>{escape(_line(record.title) or 'untitled')}</h3>"
        f"<p><code>{escape(str(record.pid))}@{record.version}</code></p>"
        f"<div style='display:flex;gap:1em'>{_picture(dataset)}<table>{facts}</table></div>"
        f"<details><summary>{_count(dataset)} arrays</summary><table>{rows}</table>{more}"
        "</details><p>xarray's own view: <code>.hsc.xarray()</code>; by HDF5 path: "
        "<code>.hsc.h5</code></p></div>"
    )


def read_picture(dataset: OpenedDataset) -> bytes | None:
    """Read the picture of the frames, or of the first array that has one; None without one.

    Raises
    ------
    DamageError
        It is not what was written.
    """
    found = sorted(
        entry.key
        for entry in dataset.version.manifest.entries
        if entry.key.startswith("preview/")
        and entry.key.endswith(f"/{_PICTURE}")
        and entry.nbytes <= _LARGEST_PICTURE_BYTES
    )
    frames = dataset.documents.get(dataset.roles.get("frames", ""), {}).get("key")
    wanted = f"preview/{frames}/{_PICTURE}"
    if not found:
        return None
    data = dataset.version.read(wanted if wanted in found else found[0])
    return data if data and data.startswith(_PNG) else None


def _picture(dataset: OpenedDataset) -> str:
    # A card is shown also where its picture is damaged, or the store out of reach.
    try:
        data = read_picture(dataset)
    except HscError as error:
        return f"<p>{escape(f'the preview can not be read: {type(error).__name__}')}</p>"
    if data is None:
        return ""
    inline = base64.b64encode(data).decode("ascii")
    style = "max-width:16em;max-height:16em;image-rendering:pixelated"
    return f"<img alt='preview' style='{style}' src='data:image/png;base64,{inline}'>"


def _facts(dataset: OpenedDataset) -> Iterator[tuple[str, str]]:
    record = dataset.record
    known = facilities().get(record.facility)
    yield "facility", known.name if known else record.facility
    for label, value in (
        ("instrument", record.instrument),
        ("proposal", record.proposal),
        ("sample", record.sample),
        ("technique", record.technique),
        ("collected", record.collected and record.collected.isoformat(sep=" ")),
        *((name.replace("_", " "), f"{each.value:g} {each.unit}")
          for name, each in sorted(record.quantities.items())),
    ):  # fmt: skip
        if value:
            yield label, str(value)
    frames = f", {record.frames} frames" if record.frames else ""
    yield "size", f"{_size(record.bytes_out)} in {_count(dataset)} arrays{frames}"
    if record.gaps:
        first = record.gaps[0]
        yield "gaps", f"{len(record.gaps)}: {first.path}: {first.reason}"
    yield "cite", cite(record)


def _rows(dataset: OpenedDataset) -> Iterator[tuple[str, str, str]]:
    """Give path, shape and type of the arrays with the most elements."""
    found = [(path, each) for path, each in dataset.documents.items() if "shape" in each]
    for path, each in sorted(found, key=lambda item: -math.prod(item[1]["shape"]))[:_SHOWN_ARRAYS]:
        yield path, " × ".join(map(str, each["shape"])) or "scalar", each["data_type"]


def _count(dataset: OpenedDataset) -> int:
    return sum("shape" in each for each in dataset.documents.values())


def _more(dataset: OpenedDataset) -> list[str]:
    more = _count(dataset) - _SHOWN_ARRAYS
    return [f"and {more} more"] if more > 0 else []


def _size(nbytes: int) -> str:
    size, unit = float(nbytes), 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.3g} {_UNITS[unit]}"


def _line(text: str) -> str:
    """Give a text as one line without control characters, which a terminal would obey."""
    shown = "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
