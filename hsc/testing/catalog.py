"""FakeCatalog: a catalog in memory, written as plainly as its contract reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from hsc.client import Searching
from hsc.errors import (
    ActivityNotFoundError,
    ConflictError,
    DatasetNotFoundError,
    ForbiddenError,
    InvalidQueryError,
    RecordNotFoundError,
    RevisionError,
)
from hsc.model import (
    Access,
    AccessChange,
    Activity,
    ActivityState,
    Amendment,
    Annotation,
    Dataset,
    Draft,
    Edge,
    Entry,
    FacetCounts,
    Lineage,
    Noun,
    NounKind,
    Pid,
    Query,
    Registration,
    Replica,
    SearchResult,
    noun_kind,
    now,
)
from hsc.testing.matching import COUNTED, matches
from hsc.testing.standing import concerns, first_access
from hsc.testing.walking import Walk


@dataclass
class _Kept:
    """All that is kept; every caller's view has the same."""

    datasets: dict[str, Dataset] = field(default_factory=dict)
    activities: dict[str, Activity] = field(default_factory=dict)
    edges: dict[Edge, None] = field(default_factory=dict)
    replicas: dict[tuple[str, str], Replica] = field(default_factory=dict)
    nouns: dict[tuple[NounKind, str], Noun] = field(default_factory=dict)
    access: dict[Pid, Access] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)


class FakeCatalog(Searching):
    """A catalog in memory (`hsc.client.Catalog`), to test with and to test others against.

    It differs from a real one in this: nothing outlives the object or reaches another process, it
    is never unavailable, it stays usable after `close`, it keeps the records themselves, not their
    JSON, it is not made for several threads, every search looks at every dataset, and a circle of
    edges is walked round as often as ``depth`` allows. Whoever sees a dataset may change it, and
    what came of it keeps its own access.

    Parameters
    ----------
    keys
        Names that access sets know the caller by, as in ``user:anna``; None: one who sees all.
    kept
        What another one keeps, to be seen by another caller; None: nothing yet.

    Examples
    --------
    >>> with FakeCatalog() as catalog:
    ...     catalog.search(Query(text="lysozyme")).total
    0
    """

    def __init__(self, keys: frozenset[str] | None = None, kept: _Kept | None = None) -> None:
        self.url = "fake://"
        self._keys = keys
        self._kept = kept or _Kept()

    def seen_with(self, *keys: str) -> FakeCatalog:
        """Give the same catalog as somebody with these keys sees it, as in ``user:anna``."""
        return FakeCatalog(frozenset(keys), self._kept)

    def may_register(self, draft: Draft) -> None:
        """Pass where the caller may register such a dataset."""
        self._forbid_nobody()

    def register(self, dataset: Dataset, activity: Activity, edges: Sequence[Edge]) -> None:
        """Keep a dataset, the activity that made it and their edges."""
        self._forbid_nobody()
        known = self._kept.datasets.setdefault(_id(dataset), dataset)
        if known.root != dataset.root:
            raise ConflictError(
                f"the catalog has root {known.root}, this one has {dataset.root}",
                where=_id(dataset),
            )
        self._kept.access.setdefault(dataset.pid, first_access(dataset))
        entry = Entry(record=dataset, revision=1, created=now(), updated=now())
        self._kept.entries.setdefault(_id(dataset), entry)
        self._kept.activities[activity.id] = activity
        self._kept.edges |= dict.fromkeys(edges)

    def register_many(self, items: Sequence[Registration]) -> None:
        """Keep many datasets with their activities and edges, all of them or none."""
        self._forbid_nobody()
        roots: dict[str, str] = {name: each.root for name, each in self._kept.datasets.items()}
        for each in items:
            if roots.setdefault(_id(each.dataset), each.dataset.root) != each.dataset.root:
                raise ConflictError("another root is there", where=_id(each.dataset))
        for each in items:
            self.register(each.dataset, each.activity, each.edges)

    def record(self, activity: Activity) -> None:
        """Keep an activity as it now stands."""
        self._forbid_nobody()
        self._kept.activities[activity.id] = activity

    def register_replica(self, pid: Pid, replica: Replica, activity: Activity) -> None:
        """Keep how a replica of a version now stands, and the activity that says so."""
        self._kept.replicas[_id(self.get(pid)), replica.location] = replica
        self._kept.activities[activity.id] = activity

    def keep(self, noun: Noun) -> None:
        """Keep a facility, instrument, proposal, sample or publication, by its key."""
        self._forbid_nobody()
        self._kept.nouns[noun_kind(noun), noun.key] = noun

    def get(self, pid: Pid) -> Dataset:
        """Give a dataset: the version that the PID names, else the newest."""
        versions = [
            kept
            for kept in self._kept.datasets.values()
            if kept.pid.latest() == pid.latest() and pid.version in (None, kept.version)
        ]
        if not versions or not self._sees(versions[0]):
            raise DatasetNotFoundError(f"there is no dataset {pid}")
        return max(versions, key=lambda kept: kept.version)

    def entry(self, pid: Pid) -> Entry:
        """Give a dataset with what the catalog says of it."""
        dataset = self.get(pid)
        used = [
            Pid.parse(edge.object)
            for edge in self._kept.edges
            if edge.subject == _id(dataset) and edge.predicate == "was_derived_from"
            if edge.object in self._kept.datasets
        ]
        return self._kept.entries[_id(dataset)].model_copy(
            update={
                "access": self._kept.access[dataset.pid],
                "stale": tuple(p for p in used if self._newest(p).version != p.version),
                "replicas": len(self.replicas(pid)),
            }
        )

    def replicas(self, pid: Pid) -> Sequence[Replica]:
        """List where a version lies."""
        dataset = self.get(pid)
        here = (dataset.location or "").rstrip("/")
        first = {here: Replica(location=here, since=dataset.created)} if here else {}
        told = {at: kept for (of, at), kept in self._kept.replicas.items() if of == _id(dataset)}
        return tuple((first | told).values())

    def find_datasets(self, query: Query) -> SearchResult:
        """Find the newest version of each dataset that matches, newest first."""
        found = self._found(query)
        rest = [each for each in found if query.cursor is None or _place(each) < query.cursor]
        page = rest[: max(query.limit, 0)]
        if query.cursor is not None and not query.cursor.startswith("20"):
            raise InvalidQueryError(f"{query.cursor!r} is no cursor")
        more = _place(page[-1]) if page and len(rest) > len(page) else None
        return SearchResult(total=len(found), datasets=tuple(page), next=more)

    def count_facets(self, query: Query) -> FacetCounts:
        """Count what a query finds by each facet."""
        counts = {
            # Each facet as if nothing were asked of itself: what else could be chosen.
            name: Counter(
                str(value)
                for each in self._found(query.model_copy(update={name: None}))
                if (value := getattr(each, name))
            )
            for name in COUNTED
        }
        return FacetCounts(
            total=len(self._found(query)),
            counts={name: dict(counter.most_common()) for name, counter in counts.items()},
        )

    def lineage(self, pid: Pid, *, up: bool, down: bool, depth: int) -> Lineage:
        """Walk the provenance edges from a dataset, at most ``depth`` activities away."""
        start = _id(self.get(pid))
        hidden = {name for name, each in self._kept.datasets.items() if not self._sees(each)}
        titles = {name: each.title for name, each in self._kept.datasets.items()}
        return Walk(self._kept.edges, titles, self._kept.activities, hidden).around(
            start, up=up, down=down, depth=depth
        )

    def activities(
        self, *, state: ActivityState | None = None, since: datetime | None = None, limit: int = 100
    ) -> Sequence[Activity]:
        """List activities, newest first."""
        if since is not None and since.tzinfo is None:
            raise InvalidQueryError(f"the time {since.isoformat()} has no zone")
        found = [
            kept
            for kept in self._kept.activities.values()
            if state in (None, kept.state) and (since is None or kept.started >= since)
            if self._sees_activity(kept)
        ]
        found.sort(key=lambda kept: (kept.started, kept.id), reverse=True)
        return found[: max(limit, 0)]

    def activity(self, id: str) -> Activity:
        """Give an activity by its id."""
        found = self._kept.activities.get(id)
        if found is None or not self._sees_activity(found):
            raise ActivityNotFoundError(f"there is no activity {id}")
        return found

    def find(self, kind: NounKind, key: str) -> Noun:
        """Give a facility, instrument, proposal, sample or publication by its key."""
        if (kind, key) not in self._kept.nouns:
            raise RecordNotFoundError(f"there is no {kind} {key}")
        return self._kept.nouns[kind, key]

    def nouns(self, kind: NounKind) -> Sequence[Noun]:
        """List all nouns of a kind, by key."""
        return [each for (of, _), each in sorted(self._kept.nouns.items()) if of == kind]

    def amend(self, pid: Pid, amendment: Amendment, revision: int | None = None) -> Entry:
        """Change proposal, sample, people and the like of a dataset, with a reason."""
        before = self._changing(pid, revision)
        amended = amendment.applied(before.record)
        self._kept.datasets[_id(amended)] = amended
        fields = ", ".join([*amendment.changes(), *amendment.clear])
        why = Annotation(kind="note", text=f"amended {fields}: {amendment.reason}")
        return self._changed(before, record=amended, annotations=(*before.annotations, why))

    def annotate(self, pid: Pid, annotation: Annotation) -> Entry:
        """Add a note, a verdict or a link to a dataset."""
        before = self._changing(pid, None)
        return self._changed(before, annotations=(*before.annotations, annotation))

    def access(self, pid: Pid) -> Access:
        """Give who may see a dataset."""
        return self._kept.access[self.get(pid).pid]

    def change_access(self, pid: Pid, change: AccessChange, revision: int | None = None) -> Entry:
        """Change who may see a dataset."""
        before = self._changing(pid, revision)
        access = self._kept.access[before.record.pid]
        groups = (set(access.groups) | set(change.add_groups)) - set(change.remove_groups)
        until = None if change.release_embargo else change.embargo_until or access.embargo_until
        self._kept.access[before.record.pid] = Access(
            visibility=change.visibility or access.visibility,
            access_class=change.access_class or access.access_class,
            owner=access.owner,
            groups=tuple(sorted(groups)),
            embargo_until=until,
            flagged=None if change.clear_flag else access.flagged,
        )
        told = change.model_dump(exclude_defaults=True, exclude={"format", "reason"})
        fields = ", ".join(name.replace("_", " ") for name in told)
        why = Annotation(kind="note", text=f"changed {fields}: {change.reason}")
        return self._changed(before, annotations=(*before.annotations, why))

    def close(self) -> None:
        """Do nothing: there is nothing to let go of."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _found(self, query: Query) -> list[Dataset]:
        newest = {
            each.pid: self._newest(each.pid)
            for each in self._kept.datasets.values()
            if self._sees(each)
        }
        return sorted(
            (each for each in newest.values() if matches(each, query)),
            key=_place,
            reverse=True,
        )

    def _newest(self, pid: Pid) -> Dataset:
        versions = (each for each in self._kept.datasets.values() if each.pid == pid.latest())
        return max(versions, key=lambda kept: kept.version)

    def _changing(self, pid: Pid, revision: int | None) -> Entry:
        entry = self.entry(pid)
        self._forbid_nobody()
        if revision not in (None, entry.revision):
            raise RevisionError(f"{pid} is at revision {entry.revision}, not {revision}")
        return entry

    def _changed(self, before: Entry, **changes: object) -> Entry:
        now_stands = {"revision": before.revision + 1, "updated": now(), **changes}
        after = before.model_copy(update=now_stands)
        self._kept.entries[_id(after.record)] = after
        return self.entry(after.record.pid.at(after.record.version))

    def _forbid_nobody(self) -> None:
        if self._keys == frozenset():
            raise ForbiddenError("nobody may not change anything")

    def _sees(self, dataset: Dataset) -> bool:
        access = self._kept.access[dataset.pid]
        if self._keys is None:
            return True
        lifted = access.embargo_until is None or access.embargo_until <= now()
        if access.visibility == "public" and access.access_class == "open" and lifted:
            return True
        mine = {f"user:{access.owner}"}
        if access.visibility != "private":
            mine |= {f"{dataset.facility}/{dataset.proposal}", *access.groups}
        return bool(mine & self._keys)

    def _sees_activity(self, activity: Activity) -> bool:
        if self._keys is None:
            return True
        made = [self._kept.datasets.get(str(pid)) for pid in activity.generated]
        seen = any(each is not None and self._sees(each) for each in made)
        return seen or concerns(activity, self._keys)


def _place(dataset: Dataset) -> str:
    """Give where a dataset stands among others, as text that sorts."""
    return f"{dataset.created.isoformat(timespec='microseconds')} {dataset.pid}"


def _id(dataset: Dataset) -> str:
    return str(dataset.pid.at(dataset.version))
