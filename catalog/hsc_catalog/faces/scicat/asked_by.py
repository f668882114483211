"""What routes of the SciCat face are given: who asks, in which transaction, with which body."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import unquote_plus

from fastapi import Depends, Request
from sqlalchemy import Connection

from hsc.errors import InvalidRecordError
from hsc.model import now
from hsc_catalog.access import ANONYMOUS, Caller
from hsc_catalog.faces.asking import AskCaller, check_scope, get_served
from hsc_catalog.faces.posted import Body
from hsc_catalog.faces.scicat.asking import Asked
from hsc_catalog.faces.scicat.attaching import attachments_of, blocks_of
from hsc_catalog.faces.scicat.finding import Finding
from hsc_catalog.faces.scicat.registering import Site
from hsc_catalog.faces.scicat.wording import Standing, old_fashioned, worded
from hsc_catalog.faces.served import Served
from hsc_catalog.faces.strict_json import read_json


@dataclass(frozen=True)
class Asker:
    """One request: who asks, of which generation of the interface."""

    served: Served
    """What is served."""
    caller: Caller
    """Who asks."""
    site: Site
    """Which facility the face stands for."""
    old: bool
    """Whether ``/api/v3`` was asked."""

    @contextmanager
    def finding(self, *, public: bool = False) -> Iterator[Finding]:
        """Find as the caller sees, or as everybody does, in one transaction."""
        caller = ANONYMOUS if public else self.caller
        check_scope(self.caller, "read")
        with self.served.database.reading() as connection:
            yield Finding(connection, caller, now())

    @contextmanager
    def writing(self, scope: str) -> Iterator[Connection]:
        """Write in one transaction, once the token's scope is checked."""
        check_scope(self.caller, scope)
        with self.served.database.writing() as connection:
            yield connection

    def told(
        self, finding: Finding, page: tuple[Standing, ...], asked: Asked
    ) -> list[dict[str, Any]]:
        """Word datasets as they were asked for."""
        records = [worded(standing) for standing in page]
        if "origdatablocks" in asked.include:
            blocks = blocks_of(finding.connection, page)
            for record in records:
                record["origdatablocks"] = blocks[record["pid"]]
        if "attachments" in asked.include:
            pictures = attachments_of(finding.connection, page)
            for record in records:
                record["attachments"] = pictures[record["pid"]]
        dressed = map(old_fashioned, records) if self.old else records
        return [asked.cut(record) for record in dressed]


def get_asker(
    request: Request, served: Annotated[Served, Depends(get_served)], caller: AskCaller
) -> Asker:
    """Give who asks."""
    site: Site = request.app.state.site
    return Asker(served, caller, site, old="/v3/" in f"{request.url.path}/")


Ask = Annotated[Asker, Depends(get_asker)]


def get_record(body: Body) -> dict[str, Any]:
    """Read the object that a request brings.

    Raises
    ------
    InvalidRecordError
        It brings something else.
    """
    document = read_json(body)
    if not isinstance(document, dict):
        raise InvalidRecordError("the body is no JSON object")
    return document


PostedRecord = Annotated[dict[str, Any], Depends(get_record)]


def ids_of(request: Request, before: str) -> list[str]:
    """Give the id after a part of the path, in every way in which clients escape it.

    scitacean writes a space as ``+``, others write ``%20`` and leave a plus as it is.
    """
    raw = request.scope.get("raw_path") or request.url.path.encode()
    path = raw.decode("latin-1").partition("?")[0]
    escaped = path[path.index(before) + len(before) :].strip("/")
    plain = request.url.path.partition(before)[2].strip("/")
    return list(dict.fromkeys([unquote_plus(escaped), plain]))
