"""Moments as the tables keep them: whole microseconds since 1970 in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hsc.errors import InvalidQueryError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(moment: datetime) -> int:
    """Give a moment as whole microseconds since 1970 in UTC, so that it sorts and compares.

    Raises
    ------
    InvalidQueryError
        The moment has no time zone.
    """
    if moment.tzinfo is None:
        raise InvalidQueryError(
            f"the time {moment.isoformat()} has no zone",
            next_step="give it one, as in 2026-11-22T10:00:00Z",
        )
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment(microseconds: int) -> datetime:
    """Give the moment in UTC that stands so many microseconds after 1970."""
    return _EPOCH + timedelta(microseconds=microseconds)
