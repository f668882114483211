"""HttpCatalog: a catalog behind a server that speaks ``/v1``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Self, TypeVar
from urllib.parse import quote

from pydantic import ValidationError
from ulid import ULID

from hsc.client.exchange import Asked, Exchange
from hsc.client.importing import send_lines
from hsc.client.searching import Searching
from hsc.errors import CatalogError, HscError, InvalidQueryError
from hsc.model import (
    NOUNS,
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
    Record,
    Registration,
    Replica,
    SearchResult,
    noun_kind,
)
from hsc.store import MANIFEST_KEY, Patience

R = TypeVar("R", bound=Record)

_PAGE = 1000
_PLURALS: dict[NounKind, str] = {"facility": "facilities"}


class HttpCatalog(Searching):
    """A catalog over HTTP (`hsc.client.Catalog`).

    What may be sent twice is asked again when the server does not answer: what only asks, and what
    registers, under a key by which the server knows it again.

    Parameters
    ----------
    url
        ``https://host`` or a path below it, before ``/v1``.
    patience
        How long a server that does not answer is waited for.
    """

    def __init__(self, url: str, patience: Patience | None = None) -> None:
        self._exchange = Exchange(url, patience)
        self.url = self._exchange.url

    def may_register(self, draft: Draft) -> None:
        """Pass where the caller may register such a dataset; keep nothing."""
        self._post("/datasets:check", draft.document(), again=True)

    def register(self, dataset: Dataset, activity: Activity, edges: Sequence[Edge]) -> None:
        """Keep a dataset, the activity that made it and their edges, all or nothing."""
        item = Registration(dataset=dataset, activity=activity, edges=tuple(edges))
        self._post("/datasets", item.document(), key=True)

    def register_many(self, items: Sequence[Registration]) -> None:
        """Keep many datasets with their activities and edges, all of them or none."""
        if items:
            documents = [each.document() for each in items]
            self._post("/datasets:batch", {"items": documents}, key=True)

    def record(self, activity: Activity) -> None:
        """Keep an activity as it now stands, in place of what was known of it."""
        self._post("/activities", activity.document(), again=True)

    def register_replica(self, pid: Pid, replica: Replica, activity: Activity) -> None:
        """Keep how a replica of a version now stands, and the activity that says so."""
        told = {"replica": replica.document(), "activity": activity.document()}
        self._post(f"{_path(pid)}/replicas", told, again=True)

    def keep(self, noun: Noun) -> None:
        """Keep a facility, instrument, proposal, sample or publication, by its key."""
        self._exchange.ask("PUT", _noun_path(noun_kind(noun), noun.key), body=noun.document())

    def get(self, pid: Pid) -> Dataset:
        """Give a dataset: the version that the PID names, else the newest."""
        return self.entry(pid).record

    def entry(self, pid: Pid) -> Entry:
        """Give a dataset with what the catalog says of it."""
        return self._get(Entry, _path(pid))

    def replicas(self, pid: Pid) -> Sequence[Replica]:
        """List where a version lies: first the place where it was made, then the others by age."""
        path = f"{_path(pid)}/replicas"
        return self._listed(Replica, path, "replicas")

    def delivery(self, pid: Pid) -> str | None:
        """Give the URL of a version's folder as the server delivers it; None: it does not.

        `hsc.store.open_objects` reads there, with the token that this catalog was asked with.

        Raises
        ------
        DatasetNotFoundError
            There is no such dataset.
        """
        if MANIFEST_KEY not in self._addresses(pid).get("urls", {}):
            return None
        return f"hsc+{self.url}/v1{_path(pid)}"

    def delivered_from(self, pid: Pid) -> str | None:
        """Give the location of the replica that is delivered; None: none is."""
        location = self._addresses(pid).get("location")
        return location if isinstance(location, str) else None

    def find_datasets(self, query: Query) -> SearchResult:
        """Find the newest version of each dataset that matches, newest first."""
        wanted = max(query.limit, 0)
        page = self._page(query, min(wanted, _PAGE))
        found = list(page.datasets)
        while page.next is not None and page.datasets and len(found) < wanted:
            further = query.model_copy(update={"cursor": page.next})
            page = self._page(further, min(wanted - len(found), _PAGE))
            found += page.datasets
        return page.model_copy(update={"datasets": tuple(found)})

    def count_facets(self, query: Query) -> FacetCounts:
        """Count what a query finds by each facet."""
        return self._get(FacetCounts, "/facets", _asked(query))

    def lineage(self, pid: Pid, *, up: bool, down: bool, depth: int) -> Lineage:
        """Walk the provenance edges from a dataset, at most ``depth`` activities away."""
        asked = {"up": _flag(up), "down": _flag(down), "depth": str(max(depth, 0))}
        return self._get(Lineage, f"{_path(pid)}/lineage", asked)

    def activities(
        self, *, state: ActivityState | None = None, since: datetime | None = None, limit: int = 100
    ) -> Sequence[Activity]:
        """List activities, newest first."""
        if since is not None and since.tzinfo is None:
            raise InvalidQueryError(f"the time {since.isoformat()} has no zone")
        asked = {
            "state": None if state is None else state.value,
            "since": None if since is None else since.isoformat(),
            "limit": str(max(limit, 0)),
        }
        return self._listed(Activity, "/activities", "activities", asked)

    def activity(self, id: str) -> Activity:
        """Give an activity by its id."""
        return self._get(Activity, f"/activities/{quote(id, safe='')}")

    def find(self, kind: NounKind, key: str) -> Noun:
        """Give a facility, instrument, proposal, sample or publication by its key."""
        return self._get(NOUNS[kind], _noun_path(kind, key))

    def nouns(self, kind: NounKind) -> Sequence[Noun]:
        """List all nouns of a kind, by key."""
        return self._listed(NOUNS[kind], f"/{_plural(kind)}", _plural(kind))

    def amend(self, pid: Pid, amendment: Amendment, revision: int | None = None) -> Entry:
        """Change proposal, sample, people and the like of a dataset, with a reason."""
        told = amendment.document()
        self._exchange.ask("PATCH", _path(pid), body=told, headers=_on(revision))
        return self.entry(pid)

    def annotate(self, pid: Pid, annotation: Annotation) -> Entry:
        """Add a note, a verdict or a link to a dataset."""
        self._post(f"{_path(pid)}/annotations", annotation.document())
        return self.entry(pid)

    def access(self, pid: Pid) -> Access:
        """Give who may see a dataset."""
        return self._get(Access, f"{_path(pid)}/access")

    def change_access(self, pid: Pid, change: AccessChange, revision: int | None = None) -> Entry:
        """Change who may see a dataset."""
        path = f"{_path(pid)}/access"
        self._exchange.ask("PATCH", path, body=change.document(), headers=_on(revision))
        return self.entry(pid)

    def me(self) -> dict[str, Any]:
        """Give whom the server takes us for: subject, groups, roles, scopes."""
        return self._exchange.ask("GET", "/me").document(f"{self.url}/v1/me")

    def export_lines(self) -> Iterator[bytes]:
        """Give everything that the caller sees as lines of JSON, as they come."""
        return self._exchange.lines("/export")

    def import_lines(
        self, lines: Iterable[bytes], shown: Callable[[int], None] = lambda count: None
    ) -> dict[str, Any]:
        """Send lines as `export_lines` gives them; give what the server says (`send_lines`)."""
        return send_lines(self._exchange, lines, shown)

    def close(self) -> None:
        """Let go of connections."""
        self._exchange.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _addresses(self, pid: Pid) -> dict[str, Any]:
        """Give where a version's manifest can be got; empty: the server does not deliver it."""
        path = f"{_path(pid)}/urls"
        try:
            answer = self._exchange.ask("POST", path, body={"keys": [MANIFEST_KEY]}, again=True)
        except CatalogError:
            raise
        except HscError:  # the server can't reach where it lies, or does not deliver from there
            return {}
        return answer.document(path)

    def _page(self, query: Query, limit: int) -> SearchResult:
        return self._get(SearchResult, "/datasets", {**_asked(query), "limit": str(limit)})

    def _post(self, path: str, body: object, *, key: bool = False, again: bool = False) -> None:
        headers = {"Idempotency-Key": str(ULID())} if key else {}
        self._exchange.ask("POST", path, body=body, headers=headers, again=key or again)

    def _get(self, kind: type[R], path: str, query: Asked | None = None) -> R:
        document = self._exchange.ask("GET", path, query=query).document(path)
        return self._read(kind, document, path)

    def _listed(
        self,
        kind: type[R],
        path: str,
        name: str,
        query: Asked | None = None,
    ) -> list[R]:
        document = self._exchange.ask("GET", path, query=query).document(path)
        return [self._read(kind, each, path) for each in document.get(name, ())]

    def _read(self, kind: type[R], document: Any, path: str) -> R:
        try:
            return kind.model_validate(document)
        except ValidationError as error:
            raise CatalogError(
                f"the server's answer is no {kind.__name__}: {error.errors()[0]['msg']}",
                where=f"{self.url}/v1{path}",
                next_step="install the release of hanseatic-science-cloud that the server has",
            ) from error


def _path(pid: Pid) -> str:
    return f"/datasets/{pid}"


def _plural(kind: NounKind) -> str:
    return _PLURALS.get(kind, f"{kind}s")


def _noun_path(kind: NounKind, key: str) -> str:
    return f"/{_plural(kind)}/{quote(key, safe='')}"


def _on(revision: int | None) -> dict[str, str]:
    return {} if revision is None else {"If-Match": f'"{revision}"'}


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _asked(query: Query) -> Asked:
    """Give a query as it stands in an address."""
    left = {"where", "limit", "sort", "text"}
    facets = {name: getattr(query, name) for name in type(query).model_fields if name not in left}
    where = [str(condition) for condition in query.where]
    return {**facets, "text": query.text or None, "where": where or None}
