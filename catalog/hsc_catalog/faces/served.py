"""Served: what one application serves, to whom, and how much of it at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from hsc_catalog.access import Caller
from hsc_catalog.databases import Database
from hsc_catalog.delivery import Delivery


def reads_object(path: str) -> bool:
    """Tell whether a path is that of a part of an object.

    Examples
    --------
    >>> reads_object("/v1/datasets/hsc.maxiv/01A/objects/data.zarr/c/0")
    True
    >>> reads_object("/v1/datasets/hsc.maxiv/01A/urls")
    False
    """
    return path.startswith("/v1/datasets/") and path.split("/")[5:6] == ["objects"]


class Authenticate(Protocol):
    """Knows who asks; `hsc_catalog.identity.authenticate` with its sources."""

    def __call__(self, bearer: str | None, link: str | None) -> Caller:
        """Give the caller of a bearer token and of a reviewer link; None: there was none.

        Raises
        ------
        UnauthenticatedError
            One of them does not count.
        """
        ...


class Rate(Protocol):
    """Bounds how often may be asked; `hsc_catalog.identity.RequestLimit`."""

    def admit_address(self, address: str, *, objects: bool = False) -> None:
        """Count a request from an address, before anything is done for it.

        ``objects``: it reads a part of an object, which is counted apart from all else.

        Raises
        ------
        TooManyRequestsError
            It asks too often.
        """
        ...

    def admit_caller(self, subject: str | None, *, objects: bool = False) -> None:
        """Count a request of a caller who is known; ``objects`` as above.

        Raises
        ------
        TooManyRequestsError
            They ask too often.
        """
        ...


@dataclass(frozen=True)
class Limits:
    """How much one request may bring and ask for."""

    body_nbytes: int = 16 * 2**20
    """Bytes of a request's body, and of one line of an import."""
    import_nbytes: int = 16 * 2**30
    """Bytes of one import."""
    batch: int = 1000
    """Datasets in one batch."""
    page: int = 1000
    """Datasets in one answer to a search."""
    json_depth: int = 64
    """Arrays and objects that may stand in each other."""
    walk: int = 64
    """Activities that a lineage may be walked away from its dataset."""


@dataclass(frozen=True)
class Served:
    """A database, and what stands between it and its callers."""

    database: Database
    """What is served."""
    authenticate: Authenticate
    """Knows who asks."""
    delivery: Delivery
    """Gives the objects of datasets."""
    limits: Limits
    """How much at once."""
    rate: Rate | None = None
    """How often; None: any time."""
