"""Objects of one version: where they can be got, keys for its folder, and their bytes."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from pydantic import Field
from starlette.responses import Response, StreamingResponse

from hsc.model import Record
from hsc_catalog.delivery import ByteRange, read_range
from hsc_catalog.faces.answers import answer
from hsc_catalog.faces.asking import AskCaller, AskServed, check_scope
from hsc_catalog.faces.posted import brings, posted
from hsc_catalog.faces.problems import responses
from hsc_catalog.faces.v1.asked import AskPid

router = APIRouter(
    prefix="/datasets/{prefix}/{id}", tags=["objects"], responses=responses(404, 409)
)


class KeysAsked(Record):
    """Objects that somebody wants."""

    keys: tuple[Annotated[str, Field(max_length=4096)], ...] = Field(max_length=1000)
    """Their keys, as the version's manifest has them."""


class Addresses(Record):
    """Where objects can be got."""

    urls: dict[str, str]
    """By key: an address in a bucket, or one relative to the dataset's (``objects/<key>``)."""
    valid_s: float
    """Seconds from now that they hold."""
    location: str
    """Of the replicas the one that is delivered, as the catalog lists it."""


class Keys(Record):
    """Keys of a bucket that read one folder, and nothing else."""

    access_key: str
    """Names them."""
    secret_key: str
    """Signs."""
    session_token: str | None
    """Goes with them."""
    expires: str | None
    """When they end (RFC 3339)."""
    endpoint: str
    """URL of the bucket's server."""
    region: str
    """Its region."""
    bucket: str
    """The bucket."""
    prefix: str
    """The folder."""


@router.post(
    "/urls",
    response_model=Addresses,
    summary="Where objects can be got",
    openapi_extra=brings(KeysAsked, {"keys": ["manifest"]}),
)
def give_addresses(
    served: AskServed,
    caller: AskCaller,
    pid: AskPid,
    asked: Annotated[KeysAsked, Depends(posted(KeysAsked))],
) -> Response:
    """Give short-lived addresses of objects; keys that the version has not are left out."""
    check_scope(caller, "read")
    urls = served.delivery.urls(caller, pid, asked.keys)
    document = {
        "urls": urls,
        "valid_s": float(served.delivery.valid_s),
        "location": served.delivery.location(caller, pid),
    }
    return answer(document, headers={"Cache-Control": "no-store"})


@router.post(
    "/credentials",
    response_model=Keys,
    summary="Keys for its folder in a bucket",
    responses=responses(403),
)
def lend_keys(served: AskServed, caller: AskCaller, pid: AskPid) -> Response:
    """Lend keys that read and list the version's folder in its bucket, and nothing else."""
    check_scope(caller, "read")
    lent = served.delivery.lend(caller, pid)
    return answer(lent.document(), headers={"Cache-Control": "no-store"})


@router.get(
    "/objects/{key:path}",
    summary="The bytes of an object, or a range of them",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"application/octet-stream": {}}},
        206: {"description": "Partial Content", "content": {"application/octet-stream": {}}},
        304: {"description": "Not Modified"},
        416: {"description": "Range Not Satisfiable"},
    },
)
def read_object(
    request: Request,
    served: AskServed,
    caller: AskCaller,
    pid: AskPid,
    key: str,
    wanted: Annotated[str | None, Header(alias="Range")] = None,
    if_range: Annotated[str | None, Header()] = None,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Give an object from a store that is a directory; its ETag is its BLAKE3 digest."""
    check_scope(caller, "read")
    version, preview = served.delivery.version(caller, pid)
    found = version.find(key, preview=preview)
    tag = f'"{found.digest}"'
    headers = {"ETag": tag, "Accept-Ranges": "bytes", "Vary": "Authorization"}
    if tag in (part.strip() for part in (if_none_match or "").split(",")):
        return Response(status_code=304, headers=headers)
    path = version.path_of(key)
    try:
        part = ByteRange.asked(wanted if if_range in (None, tag) else None, found.nbytes)
    except ValueError:
        return Response(
            status_code=416, headers={**headers, "Content-Range": f"bytes */{found.nbytes}"}
        )
    sent = part or ByteRange(0, found.nbytes)
    headers["Content-Length"] = str(sent.stop - sent.start)
    if part is not None:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{found.nbytes}"
    body = read_range(path, sent)
    status = 200 if part is None else 206
    return StreamingResponse(body, status, headers, "application/octet-stream")
