"""Exchanging records with a facility's SciCat: pull one from there, push one there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from hsc.client import Catalog
from hsc.errors import (
    ConflictError,
    DatasetNotFoundError,
    InvalidPidError,
    InvalidRecordError,
)
from hsc.model import Access, Activity, Annotation, Dataset, Edge, Entry, Origin, Pid, now
from hsc.provenance import recorded
from hsc.store import MANIFEST_KEY, Manifest, admit_location, open_objects
from hsc_catalog.access import pid_of
from hsc_catalog.faces.scicat.fields import MADE_HERE
from hsc_catalog.faces.scicat.listing import file_list
from hsc_catalog.faces.scicat.paths import moment
from hsc_catalog.faces.scicat.taking import dataset_from, kept_document
from hsc_catalog.faces.scicat.wording import Standing, worded

PULL = "harvest"
"""Type of the activity that takes a record from another catalog."""

PUSH = "push"
"""Type of the activity that gives a record to another catalog."""

_NOT_SENT = MADE_HERE | {"datasetlifecycle", "pid"}


class Scicat(Protocol):
    """A SciCat elsewhere (`RemoteScicat`)."""

    url: str
    """Its address, without a version."""

    def dataset(self, pid: str) -> dict[str, Any]:
        """Give a dataset as it words it."""
        ...

    def create(self, path: str, document: dict[str, Any], what: str) -> dict[str, Any]:
        """Send a new record; give it as the server words it."""
        ...


@dataclass(frozen=True)
class Exchanged:
    """A record that both catalogs have."""

    pid: Pid
    """The dataset here, with its version."""
    remote_pid: str
    """Its identifier there."""
    existing: bool
    """Whether it was there already, and nothing was done."""

    def document(self) -> dict[str, Any]:
        """Give it as it stands in an answer."""
        return {
            "pid": str(self.pid.latest()),
            "version": self.pid.version,
            "remote_pid": self.remote_pid,
            "existing": self.existing,
        }


def pull(catalog: Catalog, scicat: Scicat, pid: str, facility: str) -> Exchanged:
    """Take a dataset's record from a SciCat, under its own PID.

    The same again changes nothing; what was changed there since becomes the next version. What
    hsc's record has no place for stays in the parameters of the activity.

    Raises
    ------
    DatasetNotFoundError
        It has none of that PID, or does not show it.
    ConflictError
        A dataset of that PID is here, and was not taken from there.
    InvalidPidError
        Its PID is of a form that hsc can't keep.
    """
    found = scicat.dataset(pid)
    mine = Pid.parse(str(found.get("pid") or pid)).latest()
    document = kept_document(found)
    document.pop("datasetlifecycle", None)
    known, before = _pulled(catalog, mine)
    if known is not None and (known.origin is None or known.origin.catalog != scicat.url):
        raise ConflictError(
            f"{mine} is here, and was not taken from {scicat.url}",
            next_step="a PID names one dataset: compare the two records",
        )
    if known is not None and before == document:
        return Exchanged(mine.at(known.version), str(found.get("pid") or pid), existing=True)
    record = _record(found, document, mine, scicat.url, facility)
    record = record.model_copy(update={"version": known.version + 1 if known else 1})
    theirs = str(found.get("pid") or pid)
    parameters = {"url": scicat.url, "pid": theirs, "document": document}
    with recorded(catalog, PULL, parameters) as running:
        made = mine.at(record.version)
        running.note(used=tuple(_inputs(document)), generated=(made,), bytes_in=record.bytes_in)
        edges = running.edges(made)
        catalog.register(record, running.done(), edges)
    return Exchanged(made, theirs, existing=False)


def push(
    catalog: Catalog, scicat: Scicat, pid: Pid, *, owner_group: str | None, contact: str | None
) -> Exchanged:
    """Give a dataset's record to a SciCat, under its own PID where that is allowed there.

    The same again sends nothing; a list of files that did not arrive is sent again.

    Raises
    ------
    InvalidRecordError
        SciCat wants what is not known: a contact, a group.
    ConflictError
        It comes from there.
    """
    entry = catalog.entry(pid)
    record = entry.record
    made = record.pid.at(record.version)
    if record.origin is not None and record.origin.catalog == scicat.url:
        raise ConflictError(f"{made} comes from there", where=scicat.url)
    there = _pushed(entry, scicat)
    if there is not None and (there.get("numberOfFiles") or record.origin is not None):
        return Exchanged(made, str(there["pid"]), existing=True)
    document = _document(catalog, entry, owner_group, contact)
    parameters = {"url": scicat.url, "owner_group": document["ownerGroup"]}
    with recorded(catalog, PUSH, parameters) as running:
        running.note(used=(str(made),))
        sent = there or _create(scicat, record.pid, document)
        remote_pid = str(sent["pid"])
        running.note(parameters={**parameters, "pid": remote_pid})
        if there is None:
            link = f"{scicat.url}/v4/datasets/{remote_pid}"
            catalog.annotate(made, Annotation(kind="link", text="in SciCat", link=link))
        if record.origin is None:
            block = {**file_list(record, _manifest(record, catalog.url)), "datasetId": remote_pid}
            scicat.create("origdatablocks", block, remote_pid)
        done = running.done()
        did = f"activity:{done.id}"
        catalog.record(done)
        catalog.register(record, done, [Edge(subject=did, predicate="used", object=str(made))])
    return Exchanged(made, remote_pid, existing=False)


def _pulled(catalog: Catalog, pid: Pid) -> tuple[Dataset | None, Any]:
    """Give what is here of a dataset, and the document that it was last taken from."""
    try:
        known = catalog.get(pid)
    except DatasetNotFoundError:
        return None, None
    made = str(pid.at(known.version))
    for activity in _makers(catalog, pid, made):
        if activity.type == PULL:
            return known, activity.parameters.get("document")
    return known, None


def _makers(catalog: Catalog, pid: Pid, made: str) -> list[Activity]:
    edges = catalog.lineage(pid, up=True, down=False, depth=1).edges
    ids = [
        edge.object.removeprefix("activity:")
        for edge in edges
        if (edge.subject, edge.predicate) == (made, "was_generated_by")
        and edge.object.startswith("activity:")
    ]
    return [catalog.activity(id) for id in ids]


def _record(
    found: dict[str, Any], document: dict[str, Any], pid: Pid, url: str, facility: str
) -> Dataset:
    origin = Origin(catalog=url, pid=str(pid), folder=document.get("sourceFolder"))
    created = moment(str(found.get("createdAt") or found.get("creationTime") or "")) or now()
    record = dataset_from(document, pid=pid, facility=facility, origin=origin, created=created)
    size = found.get("size")
    whole = isinstance(size, int) and 0 <= size < 2**63
    return record.model_copy(update={"bytes_in": size if whole else 0})


def _inputs(document: dict[str, Any]) -> list[str]:
    named = []
    for text in document.get("inputDatasets") or ():
        try:
            named.append(str(Pid.parse(text).latest().at(1)))
        except InvalidPidError:
            continue  # the document keeps it
    return list(dict.fromkeys(named))


def _pushed(entry: Entry, scicat: Scicat) -> dict[str, Any] | None:
    """Give the dataset there that this one was pushed to; None: it was not."""
    begin = f"{scicat.url}/v4/datasets/"
    linked = [each.link for each in entry.annotations if each.link and each.link.startswith(begin)]
    for pid in [*(link.removeprefix(begin) for link in reversed(linked)), str(entry.record.pid)]:
        try:
            return scicat.dataset(pid)
        except DatasetNotFoundError:
            continue
    return None


def _document(
    catalog: Catalog, entry: Entry, owner_group: str | None, contact: str | None
) -> dict[str, Any]:
    record = entry.record
    made = str(record.pid.at(record.version))
    edges = catalog.lineage(record.pid, up=True, down=False, depth=1).edges
    inputs = [
        Pid.parse(edge.object)
        for edge in edges
        if (edge.subject, edge.predicate) == (made, "was_derived_from")
        and pid_of(edge.object) is not None
    ]
    standing = Standing(
        record,
        entry.access or Access(visibility=record.visibility),
        created=entry.created,
        updated=entry.updated,
        inputs=tuple(inputs),
        activity=next(iter(_makers(catalog, record.pid, made)), None),
    )
    document = {name: each for name, each in worded(standing).items() if name not in _NOT_SENT}
    document["accessGroups"] = []  # groups here are none there
    document["ownerGroup"] = owner_group or record.proposal
    document["contactEmail"] = contact or document.get("contactEmail")
    for name, option in (("ownerGroup", "--owner-group"), ("contactEmail", "--contact")):
        if not document[name]:
            raise InvalidRecordError(
                f"SciCat wants {name}, and the record has none",
                where=made,
                next_step=f"give {option}",
            )
    return document


def _create(scicat: Scicat, pid: Pid, document: dict[str, Any]) -> dict[str, Any]:
    try:
        return scicat.create("datasets", {**document, "pid": str(pid)}, str(pid))
    except InvalidRecordError as error:
        if "pid" not in error.message:
            raise
    return scicat.create("datasets", document, str(pid))


def _manifest(record: Dataset, catalog_url: str) -> Manifest:
    location = admit_location(record.location, catalog_url)
    return Manifest.decode(open_objects(location).get(MANIFEST_KEY), location)
