"""How a dataset stands: hsc's record, what was posted of it, and what of both others may know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hsc.model import Access, Dataset
from hsc_catalog import tables
from hsc_catalog.access import Caller, pid_of
from hsc_catalog.faces.scicat.documents import Kept
from hsc_catalog.faces.scicat.taking import groups_of
from hsc_catalog.faces.scicat.wording import Standing


def standing_with(
    record: Dataset, access: Access, kept: Kept | None, updated: int, created: int
) -> Standing:
    """Put together how a dataset stands, without its history."""
    registered = tables.moment(created)
    if kept is None:
        changed = tables.moment(max(updated, created))
        return Standing(record, access, created=registered, updated=changed)
    return Standing(
        record,
        access,
        created=kept.created,
        updated=kept.updated,
        document=kept.document["posted"],
        registered_by=kept.created_by,
        updated_by=kept.updated_by,
        size=kept.document["size"],
        files=kept.document["files"],
    )


def discreet(access: Access, kept: Kept | None) -> Access:
    """Give of an access what everybody may know who sees the dataset."""
    groups = groups_of(kept.document["posted"]) if kept else ()
    return access.model_copy(update={"owner": None, "groups": groups, "flagged": None})


def posted_inputs(standing: Standing) -> list[str]:
    """Give the PIDs that a posted document names as inputs or relations."""
    named = (standing.document or {}).get("inputDatasets") or []
    related = (standing.document or {}).get("relationships") or []
    targets = [each.get("pid") or each.get("identifier") for each in related]
    return [_target(each) for each in [*named, *targets] if each]


def _target(named: Any) -> str:
    return pid_of(str(named)) or str(named)


def without(standing: Standing, hidden: set[str], caller: Caller) -> Mapping[str, Any] | None:
    """Leave what the caller may not see out of what somebody else posted."""
    document = standing.document
    mine = caller.subject is not None and caller.subject == standing.registered_by
    if document is None or mine or not hidden & set(posted_inputs(standing)):
        return document
    shown = dict(document)
    if document.get("inputDatasets"):
        shown["inputDatasets"] = [
            pid for pid in document["inputDatasets"] if _target(pid) not in hidden
        ]
    if document.get("relationships"):
        shown["relationships"] = [
            each
            for each in document["relationships"]
            if _target(each.get("pid") or each.get("identifier")) not in hidden
        ]
    return shown
