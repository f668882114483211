"""What a request asks for: its PID, its query."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypeVar

from fastapi import Depends, Path, Query
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from hsc import model
from hsc.errors import InvalidPidError, InvalidQueryError
from hsc.model import Condition, Pid
from hsc_catalog.faces.asking import AskServed

R = TypeVar("R", bound=BaseModel)

PREFIX = Path(description="Prefix of the PID.", examples=["hsc.maxiv"])
SUFFIX = Path(
    description="The PID behind its slash; @n behind it names version n.",
    examples=["01ARZ3NDEKTSV4RRFFQ69G5FAV"],
)


async def get_pid(prefix: Annotated[str, PREFIX], id: Annotated[str, SUFFIX]) -> Pid:
    """Give the PID that a path names.

    Raises
    ------
    RequestValidationError
        It is none.
    """
    # Some clients write a blank as a plus sign in paths too; no PID has either.
    text = f"{prefix}/{id}".replace("+", " ")
    try:
        return Pid.parse(text)
    except InvalidPidError as error:
        raise wrong("path", "id", error.message) from error


AskPid = Annotated[Pid, Depends(get_pid)]


async def get_query(
    served: AskServed,
    text: Annotated[str, Query(description="Words that must all occur.")] = "",
    facility: str | None = None,
    instrument: str | None = None,
    proposal: str | None = None,
    sample: str | None = None,
    technique: str | None = None,
    keyword: str | None = None,
    kind: str | None = None,
    where: Annotated[
        list[str],
        Query(description="A bound, as in photon_energy > 12 keV.", max_length=64),
    ] = [],  # noqa: B006 - as FastAPI has it; it makes a new one each time
    limit: Annotated[int, Query(ge=0, le=2**31, description="At most this many.")] = 25,
    cursor: Annotated[str | None, Query(description="``next`` of the answer before.")] = None,
) -> model.Query:
    """Give the search that a query asks for.

    Raises
    ------
    RequestValidationError
        A bound can't be read, or a text can't be searched for.
    """
    bounds = []
    for place, bound in enumerate(where):
        try:
            bounds.append(Condition.parse(bound))
        except InvalidQueryError as error:
            raise wrong("query", "where", error.message, place) from error
    asked = {
        "text": text,
        "facility": facility,
        "instrument": instrument,
        "proposal": proposal,
        "sample": sample,
        "technique": technique,
        "keyword": keyword,
        "kind": kind,
        "where": tuple(bounds),
        "limit": min(limit, served.limits.page),
        "cursor": cursor,
    }
    return check_asked(model.Query, asked)


AskQuery = Annotated[model.Query, Depends(get_query)]


def check_asked(kind: type[R], asked: Mapping[str, object]) -> R:
    """Make a record of what a query asks for; what is wrong is wrong in the query."""
    try:
        return kind.model_validate(asked)
    except ValidationError as error:
        told = [{**fault, "loc": ("query", *fault["loc"])} for fault in error.errors()]
        raise RequestValidationError(told) from error


def wrong(place: str, name: str, why: str, *inner: int) -> RequestValidationError:
    """Make the error that tells what is wrong in a path, query or header."""
    return RequestValidationError([{"loc": (place, name, *inner), "msg": why, "type": "value"}])
