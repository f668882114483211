"""Importing and exporting: any number of records, a line each, read as they come."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterator
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from hsc.errors import TooLargeError
from hsc_catalog.catalog import SqlCatalog
from hsc_catalog.faces.answers import answer
from hsc_catalog.faces.asking import AskServed, Ingesting, Reading
from hsc_catalog.faces.importing import Importing
from hsc_catalog.faces.lines import gather_lines, split_lines
from hsc_catalog.faces.problems import Fault, problem_document
from hsc_catalog.records import START, Place

router = APIRouter(tags=["datasets"])

_AT_ONCE = 500  # lines in one transaction
_AT_ONCE_NBYTES = 4 * 2**20
_PAGE = 200  # rows read at once by an export
_NDJSON = "application/x-ndjson"

_LINES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A record in each line: dataset with activity and edges, or one alone.",
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
    """How many lines are kept now, those that were before included."""
    wrong: int
    """How many are not."""
    lines: list[WrongLine]
    """The first of the wrong lines."""


@router.post(
    "/import",
    response_model=Imported,
    summary="Import records, line by line",
    openapi_extra=_LINES,
)
async def import_lines(request: Request, served: AskServed, catalog: Ingesting) -> Response:
    """Keep any number of records; a wrong line is told by its number and keeps none back.

    A dataset comes with activity and edges. An activity that made none may come alone; replicas,
    nouns, and who may see a dataset are taken of administrators.

    What was kept stays when the connection breaks: the same lines sent again change nothing more.
    """
    limits = served.limits
    running = Importing(catalog, depth=limits.json_depth, longest_nbytes=limits.body_nbytes)
    stream = _bounded(request.stream(), limits.import_nbytes)
    lines = split_lines(stream, limits.body_nbytes)
    async for some in gather_lines(lines, _AT_ONCE, _AT_ONCE_NBYTES):
        await run_in_threadpool(running.take, some)
    told = [{"line": number, **problem_document(error)} for number, error in running.refused]
    return answer({"kept": running.kept, "wrong": running.wrong, "lines": told})


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
    summary="Export records, line by line",
    responses={200: {"content": {_NDJSON: {"schema": {"type": "string"}}}}},
)
def export_lines(catalog: Reading) -> Response:
    """Give every version that the caller sees as lines that /v1/import takes, oldest first.

    Administrators get who may see each, too, and after them the activities that made none,
    replicas and nouns. Each page is read in a transaction of its own, so no writer waits for a slow
    reader.
    """
    # The first page before the answer begins: what can't be read is then an error like others.
    first = catalog.export_page(START, _PAGE)
    return StreamingResponse(_lines(catalog, *first), media_type=_NDJSON)


def _lines(catalog: SqlCatalog, lines: list[str], place: Place | None) -> Iterator[bytes]:
    yield b"".join(line.encode() + b"\n" for line in lines)
    while place is not None:
        lines, place = catalog.export_page(place, _PAGE)
        yield b"".join(line.encode() + b"\n" for line in lines)
