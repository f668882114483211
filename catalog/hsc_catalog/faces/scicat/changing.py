"""Changing a SciCat dataset: a merge patch (RFC 7396) to its document, its record, its access."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from hsc.errors import InvalidRecordError, RevisionError
from hsc.model import AccessChange, Amendment, Dataset, Origin
from hsc_catalog.faces.scicat.fields import MADE_HERE
from hsc_catalog.faces.scicat.taking import dataset_from, groups_of, kept_document
from hsc_catalog.faces.scicat.validating import faults
from hsc_catalog.faces.scicat.wording import Standing, is_published, worded

REASON = "changed through SciCat's interface"
"""What the audit log is told of every such change."""

_AMENDED = (
    "title",
    "description",
    "proposal",
    "sample",
    "instrument",
    "people",
    "technique",
    "techniques",
    "keywords",
    "license",
    "quantities",
    "started",
    "ended",
)
_SHARING = ("isPublished", "ownerGroup", "accessGroups")


@dataclass(frozen=True)
class Changed:
    """What a patch comes to."""

    document: dict[str, Any] | None
    """What is kept from now on of what was posted; None: nothing was posted of it."""
    amendments: tuple[Amendment, ...]
    """What changes in hsc's record, one after the other."""
    access: AccessChange | None
    """What changes of who may see it; None: nothing."""


def read_patch(standing: Standing, patch: Mapping[str, Any]) -> Changed:
    """Tell what a patch comes to.

    Raises
    ------
    InvalidRecordError
        Fields of it can't be so, or hsc's own dataset has no place for them.
    """
    wrong = faults(kept_document(patch), partly=True)
    wrong += [f"{name} can't be changed" for name in sorted(MADE_HERE & set(patch))]
    if "pid" in patch:
        wrong.append("pid can't be changed")
    before = dict(standing.document) if standing.document is not None else _own(standing)
    after = merged(before, kept_document(patch))
    wrong += faults(after) if standing.document is not None else []
    record_before, record_after = _record(standing, before), _record(standing, after)
    if standing.document is None:
        wrong += _without_place(before, after)
    if wrong:
        raise InvalidRecordError("; ".join(wrong[:5]), faults=[("", each) for each in wrong])
    return Changed(
        document=after if standing.document is not None else None,
        amendments=_amendments(record_before, record_after),
        access=_access(standing, before, after, patch),
    )


def check_unmodified(standing: Standing, since: str | None) -> None:
    """Pass where a dataset was not changed since the moment that ``If-Unmodified-Since`` names.

    Raises
    ------
    InvalidRecordError
        The header names no moment.
    RevisionError
        Somebody changed it since.
    """
    if since is None:
        return
    try:
        moment = parsedate_to_datetime(since)
    except ValueError:
        try:
            moment = datetime.fromisoformat(since)
        except ValueError as error:
            raise InvalidRecordError(f"If-Unmodified-Since {since[:80]!r} is no time") from error
    if moment.tzinfo is None:
        raise InvalidRecordError(f"If-Unmodified-Since {since[:80]!r} has no zone")
    # An HTTP date has whole seconds: what changed within that second counts as unchanged.
    if standing.updated.replace(microsecond=0) > moment:
        raise RevisionError(
            "Resource has been modified on server since it was read",
            next_step="read it again, and send the change again",
        )


def merged(document: Any, patch: Any) -> Any:
    """Apply a JSON merge patch.

    Examples
    --------
    >>> merged({"a": {"b": 1, "c": 2}}, {"a": {"b": None}, "d": [3]})
    {'a': {'c': 2}, 'd': [3]}
    """
    if not isinstance(patch, Mapping):
        return patch
    result = dict(document) if isinstance(document, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def _own(standing: Standing) -> dict[str, Any]:
    return kept_document(worded(standing))


def _record(standing: Standing, document: Mapping[str, Any]) -> Dataset:
    record = standing.record
    origin = record.origin or Origin(catalog="https://unknown.invalid", pid=str(record.pid))
    return dataset_from(
        document, pid=record.pid, facility=record.facility, origin=origin, created=record.created
    )


def _without_place(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    kept = {
        "datasetName",
        "description",
        "keywords",
        "license",
        "proposalIds",
        "sampleIds",
        "instrumentIds",
        "techniques",
        "startTime",
        "endTime",
        "principalInvestigators",
        *_SHARING,
    }
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    return [f"{name} can't be changed in a dataset that hsc made" for name in changed - kept]


def _amendments(before: Dataset, after: Dataset) -> tuple[Amendment, ...]:
    given: dict[str, Any] = {}
    cleared: list[Any] = []
    for name in _AMENDED:
        value = getattr(after, name)
        if value == getattr(before, name):
            continue
        if value in (None, (), {}):
            cleared.append(name)
        else:
            given[name] = value
    # Quantities are put beside those that are there: what is gone has to be cleared before.
    first = []
    if "quantities" in given and not set(before.quantities) <= set(after.quantities):
        first = [Amendment(clear=("quantities",), reason=REASON)]
    if not given and not cleared:
        return ()
    return (*first, Amendment(**given, clear=tuple(cleared), reason=REASON))


def _access(
    standing: Standing,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    patch: Mapping[str, Any],
) -> AccessChange | None:
    if not any(name in patch for name in _SHARING):
        return None
    old, new = set(groups_of(before)), set(groups_of(after))
    published = patch.get("isPublished")
    visibility = None
    if isinstance(published, bool) and published != is_published(standing.access):
        visibility = "public" if published else "group"
    if visibility == "group":
        old = set()  # while it was public, no groups were kept
    if visibility is None and old == new:
        return None
    return AccessChange(
        visibility=visibility,  # type: ignore[arg-type]
        add_groups=tuple(new - old),
        remove_groups=tuple(old - new),
        reason=REASON,
    )
