"""What a bucket's server answers when it does not do as asked: what may pass, and errors for it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from hsc.errors import (
    HscError,
    ObjectExistsError,
    ObjectMissingError,
    RedirectRefusedError,
    StoreError,
    StoreFullError,
    StoreUnwritableError,
)

_MORE_ROOM = "have the quota raised, or make room (`hsc gc` lists what dead attempts left)"
_ADVICE = "check HSC_STORE, AWS_ENDPOINT_URL and the credentials in the environment"
_REDIRECTS = {301, 302, 303, 307, 308}
# What servers call credentials that they know no longer.
_STALE_CODES = {
    "ExpiredToken", "ExpiredTokenException", "InvalidAccessKeyId", "InvalidToken",
    "SignatureDoesNotMatch", "TokenRefreshRequired",
}  # fmt: skip
_PASSING_STATUS = {408, 409, 425, 429, 500, 502, 503, 504}
_PASSING_CODES = {"RequestTimeout", "SlowDown", "InternalError", "ConditionalRequestConflict"}
_PASSING_ERRORS = {
    "ClosedConnectionError", "ConnectTimeoutError", "ConnectionClosedError", "ConnectionError",
    "EndpointConnectionError", "HTTPClientError", "IncompleteReadError", "ProxyConnectionError",
    "ReadTimeoutError", "ResponseParserError", "ResponseStreamingError",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked, for the error that tells of it."""

    where: str
    """URL of the object."""
    done: str
    """What should have been done to it: read, written, removed, listed."""
    bucket: str
    """The bucket."""
    server: str
    """URL of the server."""
    named: bool
    """Whether the location names the server; else the environment does."""

    @property
    def advice(self) -> str:
        """What to do about a server that refuses."""
        if not self.named:
            return _ADVICE
        return (
            f"credentials of the environment are for AWS_ENDPOINT_URL alone: set it to "
            f"{self.server}, or bind others to it (hsc.store.bind_credentials)"
        )


def worded(error: Exception, asked: Asked) -> HscError:
    """Give an error of the store for one of the client."""
    status, code, where = _status(error), _code(error), asked.where
    if code == "NoSuchBucket":
        what = f"there is no bucket {asked.bucket!r}"
        kind = StoreUnwritableError if asked.done == "written" else StoreError
        return kind(what, where=where, next_step="make it, or name another in HSC_STORE")
    if status == 404:
        return ObjectMissingError("no such object", where=where)
    if status == 412:
        return ObjectExistsError("the object is there", where=where)
    if status == 416:
        return NothingThereError("the object ends before", where=where)
    if status in _REDIRECTS:
        return redirect_refused(asked.server, _target(error), where)
    if code == "QuotaExceeded" or status == 507:
        what = f"the store is full: {_cause(error)}"
        return StoreFullError(what, where=where, next_step=_MORE_ROOM)
    if status in (401, 403, 405, 501) and asked.done in ("written", "removed"):
        what = f"the store takes no writes: {_cause(error)}"
        return StoreUnwritableError(what, where=where, next_step=asked.advice)
    if status in (401, 403):
        what = f"the store does not let us read: {_cause(error)}"
        return StoreError(what, where=where, next_step=asked.advice)
    what = f"the object can't be {asked.done}: {_cause(error)}"
    return StoreError(what, where=where, next_step=asked.advice)


def redirect_refused(server: str, target: str, where: str) -> RedirectRefusedError:
    """Give the error for a server that sends us to another one."""
    to = urlsplit(target).netloc.rpartition("@")[2] or "another place"
    return RedirectRefusedError(
        f"{urlsplit(server).netloc} sends us to {to}",
        where=where,
        next_step="name the server that has the data; no other is followed to, for it could get "
        "what is not meant for it",
    )


class NothingThereError(StoreError):
    """The range that was asked for begins where the object ends."""


def stale(error: Exception) -> bool:
    """Tell whether a server refused credentials because it knows them no longer."""
    return _status(error) in (400, 401, 403) and _code(error) in _STALE_CODES


def refused_without_a_word(error: Exception) -> bool:
    """Tell whether a server refused and did not say why.

    The answer to a HEAD has no body; and Ceph, where it knows session tokens too, calls a key that
    it knows no longer denied.
    """
    return _code(error) in ("400", "401", "403", "AccessDenied")


def _target(error: Exception) -> str:
    told = getattr(error, "response", {})
    headers = told.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    named = told.get("Error", {}).get("Endpoint")
    return str(headers.get("location") or (f"https://{named}" if named else ""))


def passing(error: Exception) -> str | None:
    """Word an error that may pass; None for any other."""
    if isinstance(error, HscError):
        return None
    status = _status(error)
    if status is not None:
        passes = status in _PASSING_STATUS or _code(error) in _PASSING_CODES
    elif maker(error) == "botocore":
        # A certificate that does not hold will not hold later either.
        names = {kind.__name__ for kind in type(error).__mro__}
        passes = type(error).__name__ != "SSLError" and bool(names & _PASSING_ERRORS)
        # botocore trips over some answers, as over HTTP 303, and will again.
        passes = passes and not isinstance(getattr(error, "kwargs", {}).get("error"), TypeError)
    else:
        passes = isinstance(error, ConnectionError | TimeoutError)
    return _cause(error) if passes else None


def _status(error: Exception) -> int | None:
    """Give the HTTP status that an answer had; None when there was no answer."""
    told = getattr(error, "response", None)
    if not isinstance(told, dict):
        return None
    status = told.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return int(status) if status is not None else None


def _code(error: Exception) -> str:
    told = getattr(error, "response", None)
    return str(told.get("Error", {}).get("Code", "")) if isinstance(told, dict) else ""


def maker(error: Exception) -> str:
    """Give the package that an error comes from."""
    return type(error).__module__.partition(".")[0]


def _cause(error: Exception) -> str:
    """Word an error; some servers give a code and no message."""
    status, code = _status(error), _code(error)
    if status is None:
        return str(error) or type(error).__name__
    message = getattr(error, "response", {}).get("Error", {}).get("Message")
    told = "" if code == str(status) else code  # of an answer without a body botocore makes it so
    return ", ".join(str(part) for part in (f"HTTP {status}", told, message) if part)
