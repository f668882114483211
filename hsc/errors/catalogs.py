"""Errors about the catalog and what it is told and asked."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from hsc.errors.base import HscError


class CatalogError(HscError):
    """Something is wrong with the catalog."""


class CatalogUnavailableError(CatalogError, ConnectionError):
    """The catalog can't be opened or reached."""


class CatalogOutdatedError(CatalogError):
    """The catalog has the tables of an older release, and its operator must upgrade it."""


class CatalogDamagedError(CatalogError):
    """What the catalog holds does not agree with itself: it was changed from outside, or lost."""


class DatasetNotFoundError(CatalogError, KeyError):
    """No dataset with that PID is visible to the caller."""

    __str__ = HscError.__str__


class ActivityNotFoundError(CatalogError, KeyError):
    """The catalog has no such activity, or does not show it to who asks."""

    __str__ = HscError.__str__


class ConflictError(CatalogError):
    """A record with the same identity and other content is there already."""


class RecordNotFoundError(CatalogError, KeyError):
    """No facility, instrument, proposal, sample or publication of that key is visible."""

    __str__ = HscError.__str__


class InvalidRecordError(CatalogError, ValueError):
    """A record that was given to the catalog is not as it must be.

    Parameters
    ----------
    faults
        JSON pointer and reason of each wrong field; empty when it is not about single fields.
    """

    def __init__(
        self,
        message: str,
        *,
        where: str = "",
        next_step: str = "",
        faults: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(message, where=where, next_step=next_step)
        self.faults = tuple(faults)

    def __reduce__(self) -> tuple[object, ...]:
        again = partial(type(self), where=self.where, next_step=self.next_step, faults=self.faults)
        return (again, (self.message,))


class RevisionError(CatalogError):
    """A record was changed since the caller read it."""


class UnauthenticatedError(CatalogError, PermissionError):
    """The catalog wants to know who asks, and was told nothing, or something that is not valid."""

    __str__ = HscError.__str__


class ForbiddenError(CatalogError, PermissionError):
    """The caller may see something and may not do what it asked."""

    __str__ = HscError.__str__


class TokenNotFoundError(CatalogError, KeyError):
    """There is no API token or reviewer link of that id that the caller may know of."""

    __str__ = HscError.__str__


class TooLargeError(CatalogError, ValueError):
    """A request has more bytes or more items than the catalog takes at once."""


class TooManyRequestsError(CatalogError):
    """A caller asks faster than the catalog lets one caller ask."""

    retry_after_s: float = 1.0
    """After how many seconds it is worth to come again."""


class AddressUnavailableError(CatalogError, OSError):
    """A server can't listen at an address: another program does, or it is not this machine's."""

    __str__ = HscError.__str__
