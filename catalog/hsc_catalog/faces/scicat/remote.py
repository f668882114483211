"""A facility's SciCat, asked through scitacean; what it refuses as errors of hsc."""

from __future__ import annotations

import ipaddress
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus, urlsplit

from hsc.errors import (
    CatalogUnavailableError,
    ConfigurationError,
    ConflictError,
    DatasetNotFoundError,
    DependencyMissingError,
    ForbiddenError,
    HscError,
    InvalidRecordError,
    UnauthenticatedError,
)

if TYPE_CHECKING:
    from scitacean.client import ScicatClient

_STATUS = re.compile(r"': (\d{3}) ")
_ERRORS: Mapping[int, type[HscError]] = {
    400: InvalidRecordError,
    401: UnauthenticatedError,
    403: ForbiddenError,
    404: DatasetNotFoundError,
    409: ConflictError,
    422: InvalidRecordError,
}


class RemoteScicat:
    """A SciCat elsewhere.

    Parameters
    ----------
    url
        Its address, with or without ``/api/v3``; plain http on this machine alone.
    token
        A token of it; None: only what is published is seen, and nothing can be sent.
    """

    def __init__(self, url: str, token: str | None) -> None:
        self.url = address(url)
        self._client = _client(self.url, token)
        self._public = token is None

    def dataset(self, pid: str) -> dict[str, Any]:
        """Give a dataset as it words it.

        Raises
        ------
        DatasetNotFoundError
            It has none of that PID, or does not show it.
        """
        path = "datasets/public" if self._public else "datasets"
        with self._worded(pid):
            found = self._client.call_endpoint(
                cmd="get", url=f"{path}/{quote_plus(pid)}", operation="get", version="v4"
            )
        if not isinstance(found, dict):
            raise DatasetNotFoundError(f"there is no dataset {pid}", where=self.url)
        return found

    def create(self, path: str, document: Mapping[str, Any], what: str) -> dict[str, Any]:
        """Send a new record; give it as the server words it."""
        # scitacean sends models alone; this one has the fields that the document has.
        from pydantic import create_model

        fields: dict[str, Any] = {name: (Any, value) for name, value in document.items()}
        model = create_model("Sent", **fields)
        with self._worded(what):
            made = self._client.call_endpoint(
                cmd="post", url=path, operation="create", version="v4", data=model()
            )
        return made if isinstance(made, dict) else {}

    @contextmanager
    def _worded(self, what: str) -> Iterator[None]:
        """Word what scitacean and httpx raise as errors of hsc."""
        import httpx
        from scitacean import ScicatCommError

        try:
            yield
        except ScicatCommError as error:
            status = int(match[1]) if (match := _STATUS.search(str(error))) else 0
            kind = _ERRORS.get(status, CatalogUnavailableError)
            told = str(error).partition(": ")[2][:500]
            raise kind(
                f"the SciCat refuses: {told}",
                where=f"{what} at {self.url}",
                next_step=_NEXT.get(status, "try again; ask whoever runs it if this stays so"),
            ) from None
        except httpx.HTTPError as error:
            raise CatalogUnavailableError(
                f"the SciCat can't be reached: {error}",
                where=self.url,
                next_step="check the address, and that you are on its network",
            ) from None


_NEXT = {
    400: "it wants a field otherwise: its message names it",
    401: "make a new token in its web page, and set HSC_SCICAT_TOKEN",
    403: "ask for the right there, or name a group of yours with --owner-group",
    404: "check the PID, and that its token may see it",
    409: "another dataset has this PID there",
}


def address(url: str) -> str:
    """Give a SciCat's address as records name it: without version and trailing slash.

    Raises
    ------
    ConfigurationError
        It is none, or would send a token in clear text.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise ConfigurationError(
            f"{url!r} is no address of a SciCat", next_step="write it as https://host/api/v3"
        )
    if parts.scheme == "http" and not _is_here(parts.hostname):
        raise ConfigurationError(
            "plain http would show the token to everybody on the way",
            where=url,
            next_step="write https://",
        )
    short = (
        url.split("?", maxsplit=1)[0]
        .rstrip("/")
        .removesuffix("/v3")
        .removesuffix("/v4")
        .rstrip("/")
    )
    return short if short.endswith("/api") else f"{short}/api"


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _client(url: str, token: str | None) -> ScicatClient:
    try:
        # An optional part, and a second's work to import.
        from scitacean.client import ScicatClient
    except ImportError as error:
        raise DependencyMissingError(
            "exchanging records with a SciCat needs scitacean",
            next_step="pip install 'hanseatic-science-cloud[scicat]'",
        ) from error
    # What fails is told by an error; its own lines would come beside it.
    logging.getLogger("scitacean").addHandler(logging.NullHandler())
    plain = url.startswith("http://")
    if token is None:
        return ScicatClient.without_login(url, allow_http=plain)
    return ScicatClient.from_token(url, token, allow_http=plain)
