"""What commands print: one JSON document or text for people on stdout, all else on stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TransferSpeedColumn,
)
from rich.table import Table
from rich.text import Text

from hsc.errors import HscError, OutputError

_PROSE = ("title", "found", "next", "of", "result or error")
_PIPE_WIDTH = 160
_BAR_WIDTH = 20


def json_wanted() -> bool:
    """Tell whether ``--json`` was given; also before, or without, a command being found."""
    words = sys.argv[1:]
    return "--json" in (words[: words.index("--")] if "--" in words else words)


@contextmanager
def telling() -> Iterator[None]:
    """Word what stdout refuses in the block as an error of its own.

    Raises
    ------
    OutputError
        The disk is full, or nobody reads any more.
    """
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"the answer can't be written: {error.strerror}",
            where="stdout",
            next_step="make room where it goes; what the command did is done",
        ) from error


def refused_stdout(error: Exception) -> OutputError | None:
    """Give the error that stdout was, as when help is written to a full disk; None: it was not.

    What others wrote has no `telling` around it; what stdout refused once it refuses again.
    """
    if not isinstance(error, OSError):
        return None
    try:
        with telling():
            sys.stdout.write("\n")
            sys.stdout.flush()
    except OutputError as refused:
        return refused
    return None


def answer(document: Any, text: str, *, to_stderr: bool = False) -> None:
    """Print a command's answer: the document with ``--json``, else the text."""
    if json_wanted():
        told = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1)
        with telling():
            sys.stdout.write(told + "\n")
    elif text and to_stderr:
        sys.stderr.write(printable(text) + "\n")
    elif text:
        with telling():
            sys.stdout.write(printable(text) + "\n")


def printable(text: str) -> str:
    """Take out of text what a terminal would obey: files may hold escape sequences."""
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in text)


def show_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table for people; columns whose name begins with ``>`` stand on the right.

    Only prose is broken over lines: people copy identifiers and paths.
    """
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    for column in columns:
        right = column.startswith(">")
        table.add_column(
            column.lstrip(">"),
            justify="right" if right else "left",
            overflow="fold",
            no_wrap=column not in _PROSE,
        )
    for row in rows:
        # A line break inside a cell is the file's, not ours.
        table.add_row(*(escape(printable(cell.replace("\n", " "))) for cell in row))
    # A pipe or a file has no width of its own.
    width = None if sys.stdout.isatty() else _PIPE_WIDTH
    with telling():
        Console(width=width).print(table, crop=False)


def fail(error: HscError) -> int:
    """Print an error; give the exit code."""
    if isinstance(error, OutputError):
        _give_up_stdout()
        if not isinstance(error.__cause__, BrokenPipeError):  # who closed the pipe knows
            sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    answer(error.document(), f"error: {error}", to_stderr=True)
    return error.exit_code


def _give_up_stdout() -> None:
    """Let what stdout still holds go nowhere: Python would fail on it once more at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def size(nbytes: float) -> str:
    """Word a number of bytes, in powers of ten.

    Examples
    --------
    >>> size(1_234_567), size(12)
    ('1.23 MB', '12 B')
    """
    for unit, factor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if nbytes >= factor:
            return f"{nbytes / factor:.3g} {unit}"
    return f"{nbytes:.0f} B"


class _Rate(ProgressColumn):
    """Units a second, as they came of late, or over all at the end."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        if speed is None or task.total == 1:
            return Text("")
        return Text(f"{speed:,.0f}/s" if speed >= 10 else f"{speed:.2g}/s")


class _Left(ProgressColumn):
    """The time that is left, as far as it can be told, and at the end what it took."""

    def render(self, task: Task) -> Text:
        left = None if task.finished else task.time_remaining
        seconds = left if left is not None else task.elapsed or 0.0
        told = str(timedelta(seconds=int(seconds)))
        return Text(told if left is None else f"{told} left")


class Bars:
    """Progress bars, silent where nobody looks on.

    Parameters
    ----------
    console
        The terminal; None: stderr, if it is one.
    """

    def __init__(self, console: Console | None = None) -> None:
        console = console or Console(stderr=True)
        self._shown = console.is_terminal
        self._console = console
        self._bars: Progress | None = None
        self._task: TaskID | None = None

    def start(self, stage: str, total: int, unit: str) -> None:
        """Begin a stage."""
        if not self._shown:
            return
        self.finish()
        amount = (
            (DownloadColumn(), TransferSpeedColumn())
            if unit == "bytes"
            else (MofNCompleteColumn(), TextColumn(unit), _Rate())
        )
        self._bars = Progress(
            TextColumn("{task.description:>10}"),
            BarColumn(bar_width=_BAR_WIDTH),
            *amount,
            _Left(),
            console=self._console,
        )
        self._bars.start()
        self._task = self._bars.add_task(stage, total=total)

    def advance(self, amount: int) -> None:
        """Go on."""
        if self._bars is not None and self._task is not None:
            self._bars.advance(self._task, amount)

    def finish(self) -> None:
        """End a stage."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None

    def __enter__(self) -> Bars:
        return self

    def __exit__(self, *exc: object) -> None:
        self.finish()
