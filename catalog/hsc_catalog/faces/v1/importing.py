"""Importing and exporting: any number of registrations, a line each, read as they come."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterator, Sequence
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from hsc.errors import CatalogUnavailableError, HscError, TooLargeError
from hsc_catalog.catalog import SqlCatalog
from hsc_catalog.faces.answers import answer
from hsc_catalog.faces.asking import AskServed, Ingesting, Reading
from hsc_catalog.faces.lines import Line, gather_lines, split_lines
from hsc_catalog.faces.problems import Fault, problem_document
from hsc_catalog.faces.served import Limits
from hsc_catalog.faces.strict_json import read_json
from hsc_catalog.faces.v1.registering import posted_of
from hsc_catalog.records import Posted

router = APIRouter(tags=["datasets"])

_AT_ONCE = 500  # lines in one transaction
_AT_ONCE_NBYTES = 4 * 2**20
_PAGE = 200  # versions read at once by an export
_NDJSON = "application/x-ndjson"
_TOLD = 100  # wrong lines that the answer names; all are counted

_LINES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A registration (dataset, activity, edges) in each line.",
        "content": {_NDJSON: {"schema": {"type": "string"}}},
    }
}


class WrongLine(BaseModel):
    """A line that was not kept."""

    line: int
    """Its number, from 1."""
    type: str
    """``urn:hsc:`` and the name of the error."""
    detail: str
    """What is wrong with it."""
    errors: list[Fault] = []
    """Its wrong fields."""


class Imported(BaseModel):
    """What became of the lines."""

    kept: int
    """How many registrations are kept now, those that were before included."""
    wrong: int
    """How many are not."""
    lines: list[WrongLine]
    """The first of the wrong lines."""


class _Import:
    """One import on its way."""

    def __init__(self, catalog: SqlCatalog, limits: Limits) -> None:
        self._catalog = catalog
        self._limits = limits
        self._kept = 0
        self._wrong = 0
        self._told: list[dict[str, Any]] = []

    def take(self, lines: Sequence[Line]) -> None:
        """Keep lines in one transaction; if one of them can't be, each in its own."""
        read = [(line.number, posted) for line in lines if (posted := self._read(line))]
        try:
            self._keep([posted for _, posted in read])
        except CatalogUnavailableError:
            raise
        except HscError:
            for number, posted in read:
                try:
                    self._keep([posted])
                except CatalogUnavailableError:
                    raise
                except HscError as error:
                    self._refuse(number, error)

    def document(self) -> dict[str, Any]:
        """Tell what became of all lines so far."""
        return {"kept": self._kept, "wrong": self._wrong, "lines": self._told}

    def _read(self, line: Line) -> Posted | None:
        try:
            if line.text is None:
                most = self._limits.body_nbytes
                raise TooLargeError(f"the line has more than {most} bytes")
            document = read_json(line.text, depth=self._limits.json_depth)
            return posted_of(document, line.text.decode(), "")
        except HscError as error:
            self._refuse(line.number, error)
            return None

    def _keep(self, posted: list[Posted]) -> None:
        if posted:
            self._catalog.post(posted)
        self._kept += len(posted)

    def _refuse(self, number: int, error: HscError) -> None:
        self._wrong += 1
        if len(self._told) < _TOLD:
            told = problem_document(error)
            self._told.append({"line": number, **told})


@router.post(
    "/import",
    response_model=Imported,
    summary="Import registrations, line by line",
    openapi_extra=_LINES,
)
async def import_lines(request: Request, served: AskServed, catalog: Ingesting) -> Response:
    """Keep any number of registrations; a wrong line is told by its number and keeps none back.

    What was kept stays when the connection breaks: the same lines sent again change nothing more.
    """
    running = _Import(catalog, served.limits)
    stream = _bounded(request.stream(), served.limits.import_nbytes)
    lines = split_lines(stream, served.limits.body_nbytes)
    async for some in gather_lines(lines, _AT_ONCE, _AT_ONCE_NBYTES):
        await run_in_threadpool(running.take, some)
    return answer(running.document())


async def _bounded(stream: AsyncIterable[bytes], most_nbytes: int) -> AsyncIterator[bytes]:
    arrived = 0
    async for part in stream:
        arrived += len(part)
        if arrived > most_nbytes:
            raise TooLargeError(
                f"the import has more than {most_nbytes} bytes",
                next_step="send it in parts: what was kept so far stays",
            )
        yield part


@router.get(
    "/export",
    response_class=StreamingResponse,
    summary="Export registrations, line by line",
    responses={200: {"content": {_NDJSON: {"schema": {"type": "string"}}}}},
)
def export_lines(catalog: Reading) -> Response:
    """Give every version that the caller sees as lines that /v1/import takes, oldest first.

    Each page is read in a transaction of its own, so no writer waits for a slow reader.
    """
    # The first page before the answer begins: what can't be read is then an error like others.
    first = catalog.export_page(0, _PAGE)
    return StreamingResponse(_lines(catalog, *first), media_type=_NDJSON)


def _lines(catalog: SqlCatalog, lines: list[str], after: int | None) -> Iterator[bytes]:
    yield b"".join(line.encode() + b"\n" for line in lines)
    while after is not None:
        lines, after = catalog.export_page(after, _PAGE)
        yield b"".join(line.encode() + b"\n" for line in lines)
