"""Records made from options, and entries shown, for commands that tend what a catalog has."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import ValidationError

from hsc.cli.output import answer, json_wanted
from hsc.errors import ConfigurationError, InvalidRecordError
from hsc.model import Access, Entry, Record

Made = TypeVar("Made", bound=Record)


def make_record(record: type[Made], /, **facts: Any) -> Made:
    """Make a record from options; those that are None or empty were not given.

    Raises
    ------
    InvalidRecordError
        They make none.
    """
    given = {name: value for name, value in facts.items() if value not in (None, (), [], False)}
    try:
        return record(**given)
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidRecordError(
            first["msg"].removeprefix("Value error, "),
            where=".".join(map(str, first["loc"])),
            next_step="give other options; --help lists them",
        ) from error


def parse_moment(text: str | None) -> datetime | None:
    """Read a moment; a date alone is its midnight, and what names no zone is in UTC.

    Raises
    ------
    ConfigurationError
        It is none.

    Examples
    --------
    >>> parse_moment("2027-01-01").isoformat()
    '2027-01-01T00:00:00+00:00'
    """
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigurationError(
            f"{text!r} is no date",
            next_step="write it as 2027-01-01 or 2027-01-01T12:00:00+01:00",
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def show_entry(entry: Entry) -> None:
    """Print how a dataset stands after it was changed."""
    if json_wanted():
        answer(entry.document(), "")
        return
    record = entry.record
    lines = [
        f"{record.pid}@{record.version}  {record.title}, revision {entry.revision}",
        f"  proposal {record.proposal or 'unknown'}, sample {record.sample or 'unknown'}, "
        f"instrument {record.instrument or 'unknown'}",
    ]
    if entry.access is not None:
        lines += [f"  {line}" for line in access_lines(entry.access)]
    lines += [f"  {line}" for line in annotation_lines(entry)]
    answer(None, "\n".join(lines))


def annotation_lines(entry: Entry) -> list[str]:
    """Give what was said of a dataset, oldest first."""
    return [
        f"{each.kind} of {each.at:%Y-%m-%d}, {each.by or 'unknown'}: "
        + " ".join(filter(None, (each.verdict, each.link, each.text)))
        for each in entry.annotations
    ]


def access_lines(access: Access) -> list[str]:
    """Give who may see a dataset in words."""
    lines = [f"visible to {_VISIBLE[access.visibility]}, class {access.access_class}"]
    if access.embargo_until is not None:
        lines.append(f"under embargo until {access.embargo_until:%Y-%m-%d %H:%M} UTC")
    if access.groups:
        lines.append(f"shared with {', '.join(access.groups)}")
    lines.append(f"registered by {access.owner or 'an operator'}")
    if access.flagged is not None:
        lines.append(f"to be looked at: {access.flagged}")
    return lines


_VISIBLE = {
    "private": "its owner, its instrument's staff and its principal investigator (private)",
    "group": "its proposal's group (group)",
    "public": "everybody (public)",
}
