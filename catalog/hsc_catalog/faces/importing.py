"""Importing lines of JSON into a catalog, many in one transaction; a wrong one keeps none back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from sqlalchemy import Connection

from hsc.errors import CatalogUnavailableError, HscError, TooLargeError
from hsc.model import Access, Activity, Replica
from hsc_catalog.access import Admission, Sight, require, standings
from hsc_catalog.auditing import Change, note
from hsc_catalog.catalog import SqlCatalog
from hsc_catalog.faces.lines import Line
from hsc_catalog.faces.reading_lines import Alone, read_line
from hsc_catalog.faces.strict_json import DEPTH
from hsc_catalog.records import (
    Posted,
    put_activities,
    put_noun,
    put_replica,
    register_items,
    stand_as,
    uncollected,
)

AT_ONCE = 1000
"""Lines that are kept in one transaction."""

TOLD = 100
"""Wrong lines of which more than the number is kept."""


class Importing:
    """One import on its way; sent again, the same lines change nothing more.

    Parameters
    ----------
    catalog
        Where to.
    depth
        How deep a document may be.
    longest_nbytes
        What a line may have; a longer one comes without its text, and is told of.
    """

    def __init__(
        self, catalog: SqlCatalog, *, depth: int = DEPTH, longest_nbytes: int | None = None
    ) -> None:
        self._catalog = catalog
        self._depth = depth
        self._longest_nbytes = longest_nbytes
        self.kept = 0
        """Lines that are kept now, those that were before included."""
        self.wrong = 0
        """Lines that are not."""
        self.refused: list[tuple[int, HscError]] = []
        """Numbers of the first wrong lines, and why."""

    def take(self, lines: Sequence[Line]) -> None:
        """Keep lines in one transaction; if one of them can't be, each in its own."""
        with uncollected():
            read = [(line.number, told) for line in lines if (told := self._read(line))]
            try:
                _keep(self._catalog, [each for _, each in read])
                self.kept += len(read)
            except CatalogUnavailableError:
                raise
            except HscError:
                for number, each in read:
                    self._keep_singly(number, each)

    def _keep_singly(self, number: int, each: Posted | Alone) -> None:
        try:
            _keep(self._catalog, [each])
            self.kept += 1
        except CatalogUnavailableError:
            raise
        except HscError as error:
            self._refuse(number, error)

    def _read(self, line: Line) -> Posted | Alone | None:
        try:
            if line.text is None:
                raise TooLargeError(f"the line has more than {self._longest_nbytes} bytes")
            return read_line(line.text, depth=self._depth)
        except HscError as error:
            self._refuse(line.number, error)
            return None

    def _refuse(self, number: int, error: HscError) -> None:
        self.wrong += 1
        if len(self.refused) < TOLD:
            self.refused.append((number, error))


def import_lines(
    catalog: SqlCatalog,
    lines: Iterable[bytes],
    *,
    at_once: int = AT_ONCE,
    shown: Callable[[int], None] = lambda count: None,
) -> Importing:
    """Keep all lines of a file.

    Parameters
    ----------
    catalog
        Where to.
    lines
        As `records.export_lines` gives them; empty ones are counted and left out.
    at_once
        How many in one transaction.
    shown
        Is told how many lines were worked on so far.
    """
    running = Importing(catalog)
    numbered = (Line(n, line) for n, line in enumerate(lines, 1) if line.strip())
    while some := list(islice(numbered, at_once)):
        running.take(some)
        shown(running.kept + running.wrong)
    return running


def _keep(catalog: SqlCatalog, read: Sequence[Posted | Alone]) -> None:
    if not read:
        return
    sight = catalog.sight()
    with catalog.database.writing() as connection:
        changes: list[Change] = []
        posted = [each for each in read if isinstance(each, Posted)]
        if posted:
            told = _told_access(connection, sight, posted)
            changes += register_items(connection, sight, posted)
            for pid, access in told.items():
                changes += stand_as(connection, sight, pid, access)
        for each in read:
            if isinstance(each, Alone):
                changes += _put(connection, sight, each)
        note(connection, sight.caller.actor, changes)


def _put(connection: Connection, sight: Sight, alone: Alone) -> list[Change]:
    record = alone.record
    if isinstance(record, Activity):
        Admission(connection, sight.caller, sight.now).admit_activity(record)
        return list(put_activities(connection, [record], sight.caller))
    require(sight.caller, "administer")
    if isinstance(record, Replica):
        assert alone.of is not None  # noqa: S101  read_line gives no replica without
        return list(put_replica(connection, sight, alone.of, record))
    return list(put_noun(connection, sight, record, alone.text))


def _told_access(
    connection: Connection, sight: Sight, posted: Sequence[Posted]
) -> dict[str, Access]:
    """Give how those are to stand that are not there yet, where their lines tell."""
    told = {
        str(each.dataset.pid.latest()): each.access for each in posted if each.access is not None
    }
    if told:
        require(sight.caller, "administer")
    there = standings(connection, told)
    return {pid: access for pid, access in told.items() if pid not in there}
