"""What is attached to a SciCat dataset: lists of its files, and pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from sqlalchemy import Connection
from ulid import ULID

from hsc.errors import ConflictError, InvalidRecordError
from hsc.model import Dataset
from hsc.settings import store_url
from hsc.store import MANIFEST_KEY, Manifest, open_objects
from hsc_catalog.access import Caller, require, standings
from hsc_catalog.auditing import note
from hsc_catalog.faces.scicat.documents import Kept, change, find, keep, of_datasets, with_key
from hsc_catalog.faces.scicat.finding import Finding, known_pid
from hsc_catalog.faces.scicat.listing import file_list
from hsc_catalog.faces.scicat.validating import file_list_faults
from hsc_catalog.faces.scicat.wording import Standing, instant, is_published

_TARGETS = ("dataset",)


def add_files(
    connection: Connection, caller: Caller, posted: Mapping[str, Any], at: datetime
) -> dict[str, Any]:
    """Keep a list of a dataset's files, and add them to its sums.

    Raises
    ------
    InvalidRecordError
        The list can't be as it is.
    DatasetNotFoundError
        There is no such dataset.
    ForbiddenError
        The caller may not say where its files lie.
    """
    if found := file_list_faults(posted):
        raise InvalidRecordError("; ".join(found[:5]), faults=[("", each) for each in found])
    pid = known_pid(posted["datasetId"])
    standing = _allowed(connection, caller, pid, at)
    kept = next(iter(find(connection, "dataset", with_key(pid))), None)
    if kept is None:
        raise ConflictError(
            f"the files of {pid} are known from its manifest",
            next_step="a store's files are registered by hsc itself",
        )
    key, who = str(ULID()), caller.subject or "operator"
    changes = [keep(connection, "origdatablock", key, posted, by=who, at=at, pid=pid)]
    sums = {
        **kept.document,
        "size": kept.document["size"] + posted["size"],
        "files": kept.document["files"] + len(posted["dataFileList"]),
    }
    changes.append(change(connection, "dataset", pid, sums, by=who, at=at))
    note(connection, caller.actor, changes)
    block = find(connection, "origdatablock", with_key(key))[0]
    return _worded_block(block, standing)


def attach(
    connection: Connection, caller: Caller, posted: Mapping[str, Any], at: datetime
) -> dict[str, Any]:
    """Keep a picture of a dataset.

    Raises
    ------
    InvalidRecordError
        It can't be as it is, or names another number of datasets than one.
    DatasetNotFoundError
        There is no such dataset.
    ConflictError
        Its id is taken.
    """
    target = _target(posted)
    pid = known_pid(target)
    standing = _allowed(connection, caller, pid, at)
    who, key = caller.subject or "operator", str(posted.get("aid") or ULID())
    document = {name: value for name, value in posted.items() if name != "aid"}
    added = keep(connection, "attachment", key, document, by=who, at=at, pid=pid)
    note(connection, caller.actor, [added])
    return _worded_attachment(find(connection, "attachment", with_key(key))[0], standing)


def blocks_of(connection: Connection, standings: Iterable[Standing]) -> dict[str, list[Any]]:
    """Give the lists of files of datasets, by PID; those of hsc's own from their manifests."""
    by_pid = {str(each.record.pid.latest()): each for each in standings}
    kept = of_datasets(connection, "origdatablock", by_pid)
    found: dict[str, list[Any]] = {}
    for pid, standing in by_pid.items():
        posted = [_worded_block(each, standing) for each in kept.get(pid, ())]
        own = standing.record.origin is None and not posted
        found[pid] = _own_block(standing) if own else posted
    return found


def attachments_of(connection: Connection, standings: Iterable[Standing]) -> dict[str, list[Any]]:
    """Give the pictures of datasets, by PID."""
    by_pid = {str(each.record.pid.latest()): each for each in standings}
    kept = of_datasets(connection, "attachment", by_pid)
    return {
        pid: [_worded_attachment(each, standing) for each in kept.get(pid, ())]
        for pid, standing in by_pid.items()
    }


def _allowed(connection: Connection, caller: Caller, pid: str, at: datetime) -> Standing:
    standing = Finding(connection, caller, at).standing(pid)
    require(caller, "register_replica", standings(connection, [pid])[pid])
    return standing


def _target(posted: Mapping[str, Any]) -> str:
    faults = [
        f"{name} must be a text"
        for name in ("caption", "ownerGroup")
        if not isinstance(posted.get(name), str)
    ]
    thumbnail = posted.get("thumbnail")
    if thumbnail is not None and not isinstance(thumbnail, str):
        faults.append("thumbnail must be a text")
    related = posted.get("relationships")
    targets = [
        each.get("targetId")
        for each in (related if isinstance(related, list) else ())
        if isinstance(each, Mapping) and each.get("targetType") in _TARGETS
    ]
    if len(targets) != 1 or not isinstance(targets[0], str) or len(related or ()) != 1:
        faults.append("relationships must name one dataset")
    if faults:
        raise InvalidRecordError("; ".join(faults), faults=[("", each) for each in faults])
    return str(targets[0])


def _worded_block(kept: Kept, standing: Standing) -> dict[str, Any]:
    return {
        "isPublished": is_published(standing.access),
        **_shared(standing),
        **kept.document,
        "_id": kept.key,
        **_times(kept),
    }


def _worded_attachment(kept: Kept, standing: Standing) -> dict[str, Any]:
    published = is_published(standing.access)
    return {"isPublished": published, **kept.document, "aid": kept.key, **_times(kept)}


def _shared(standing: Standing) -> dict[str, Any]:
    document = standing.document or {}
    return {
        name: document[name]
        for name in ("ownerGroup", "accessGroups", "instrumentGroup")
        if document.get(name) is not None
    }


def _times(kept: Kept) -> dict[str, Any]:
    return {
        "createdAt": instant(kept.created),
        "createdBy": kept.created_by,
        "updatedAt": instant(kept.updated),
        "updatedBy": kept.updated_by,
    }


def _own_block(standing: Standing) -> list[dict[str, Any]]:
    record, time = standing.record, instant(standing.record.created)
    manifest = _manifest(record)
    if manifest is None:
        return []
    block = {
        "_id": str(record.pid.at(record.version)),
        "datasetId": str(record.pid.latest()),
        **file_list(record, manifest),
        "isPublished": is_published(standing.access),
        "createdAt": time,
        "createdBy": "hsc",
        "updatedAt": time,
        "updatedBy": "hsc",
    }
    return [block]


def _manifest(record: Dataset) -> Manifest | None:
    """Read a dataset's manifest where it lies in the server's own store; None: it does not.

    Whoever registers names a location: no other place is read because of that.
    """
    own = store_url().rstrip("/") + "/"
    inside = record.location.removeprefix(own)
    if inside == record.location or ".." in unquote(inside).split("/"):
        return None
    objects = open_objects(record.location)
    return Manifest.decode(objects.get(MANIFEST_KEY), record.location)
