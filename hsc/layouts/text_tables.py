"""Tables of numbers in text files: columns of spectra and scans, with the line that names them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsc.errors import LayoutError, SourceTooLargeError
from hsc.layouts.decoded import HEAD_BYTES

MOST_BYTES = 64 * 2**20
"""So many bytes a table of text may have."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d+)?|[+-]?(nan|inf)", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eEdD][+-]?\d+)?")
_COMMENT = re.compile(r"^\s*[#%;!*]+|^\s*//+")
# Keys of JASCO's exports for the quantities along the first columns.
_JASCO = ("XUNITS", "YUNITS", "Y2UNITS", "Y3UNITS")
_LEAST_ROWS = 2


@dataclass(frozen=True, slots=True)
class TextTable:
    """Columns of numbers, and what stands above them."""

    values: NDArray[np.float64]
    """(rows, columns)."""
    names: tuple[str, ...]
    """What the file calls its columns; empty where it does not."""
    line: int
    """Line of the first row."""


def read_table(path: Path) -> TextTable:
    """Read the table of a file: rows of as many numbers each, one after the other.

    Numbers are separated by tabs, semicolons, commas or blanks. A decimal comma is understood
    where tabs or semicolons separate, in a file without a decimal point.

    Raises
    ------
    LayoutError
        There is no table, or a row of it is not as the others; naming the line.
    SourceTooLargeError
        It has more than `MOST_BYTES`.
    """
    if path.stat().st_size > MOST_BYTES:
        raise SourceTooLargeError(
            f"a text file of {path.stat().st_size} bytes, of at most {MOST_BYTES}",
            where=str(path),
            next_step="take it in as HDF5",
        )
    return parse_table(path.read_bytes(), str(path))


def parse_table(content: bytes, where: str) -> TextTable:
    r"""Read the table of a text.

    Raises
    ------
    LayoutError
        As `read_table`.

    Examples
    --------
    >>> parse_table(b"# q (1/nm)  I\n0.1 5\n0.2 3\n", "a.txt").names
    ('q (1/nm)', 'I')
    """
    lines = _text(content, where).splitlines()
    rows: list[list[float]] = []
    first = last = comma = point = 0
    for number, line in enumerate(lines, 1):
        numbers = _numbers(line)
        if numbers is None:
            continue
        if rows and (len(numbers) != len(rows[0]) or _text_between(lines, last, number)):
            raise _bad(
                f"a row of {len(numbers)} numbers that does not belong to the {len(rows)} rows of "
                f"{len(rows[0])} above it",
                f"{where}, line {number}",
            )
        first, last = first or number, number
        rows.append(numbers)
        cells, decimal = _split(line)
        comma = comma or number * (decimal and "," in line)
        point = point or number * any("." in cell for cell in cells)
        if comma and point:
            raise _bad(
                f"a comma in a number of line {comma} and a point in one of line {point}: one of "
                "them parts thousands, and hsc can't know which",
                f"{where}, line {number}",
            )
    if len(rows) < _LEAST_ROWS:
        raise _bad("it has no table of numbers", where)
    return TextTable(np.array(rows, np.float64), _names(lines[: first - 1], len(rows[0])), first)


def is_table(head: bytes) -> bool:
    """Tell whether a file may be a table, by how it begins."""
    if not head or b"\0" in head:
        return False
    lines = head.decode("latin-1").splitlines()
    if len(head) >= HEAD_BYTES:
        lines.pop()  # it may be cut off
    return sum(_numbers(line) is not None for line in lines) >= _LEAST_ROWS


def _text(content: bytes, where: str) -> str:
    if b"\0" in content:
        raise _bad("it is no text", where)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")  # older instruments' programs; every byte is a character


def _split(line: str) -> tuple[list[str], bool]:
    """Give the cells of a line, and whether a comma in one may be a decimal comma."""
    for separator, decimal in (("\t", True), (";", True), (",", False)):
        if separator in line:
            cells = [cell.strip() for cell in line.split(separator)]
            while cells and not cells[-1]:
                cells.pop()
            return cells, decimal
    return line.split(), False


def _numbers(line: str) -> list[float] | None:
    """Give the numbers of a row; None where it is none."""
    cells, decimal = _split(line)
    if len(cells) < 2:
        return None
    found = []
    for cell in cells:
        number = cell.replace(",", ".") if decimal and _DECIMAL_COMMA.fullmatch(cell) else cell
        if not _NUMBER.fullmatch(number):
            return None
        found.append(float(number.lower().replace("d", "e")))
    return found


def _text_between(lines: list[str], last: int, number: int) -> bool:
    return any(line.strip() for line in lines[last : number - 1])


def _names(head: list[str], count: int) -> tuple[str, ...]:
    """Give the columns' names: JASCO's keys, or the last line above the table of as many words."""
    keys: Mapping[str, str] = {
        key.strip().upper(): value.strip()
        for key, _, value in (
            line.partition("\t" if "\t" in line else ",") for line in head if line.strip()
        )
    }
    jasco = tuple(keys[key] for key in _JASCO if keys.get(key))
    if len(jasco) == count:
        return jasco
    said = [_COMMENT.sub("", line).strip() for line in head if line.strip()]
    for line in said[:-4:-1]:
        for cells in _worded(line):
            if len(cells) == count:
                return tuple(cells)
    return ()


def _worded(line: str) -> list[list[str]]:
    """Give the ways to take a line as names, the surest first."""
    for separator in ("\t", ";", ","):
        if separator in line:
            return [[cell.strip() for cell in line.split(separator) if cell.strip()]]
    # A unit in brackets belongs to the word before it.
    joined = re.sub(r"\s+([\[(])", r" \1", line)
    return [re.split(r"\s{2,}", joined), re.findall(r"[^\s\[(]+(?:\s?[\[(][^\])]*[\])])?", joined)]


def _bad(what: str, where: str) -> LayoutError:
    return LayoutError(
        what,
        where=where,
        next_step="write rows of numbers one after the other, below a line that names the columns",
    )
