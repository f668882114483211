"""A catalog with a dataset of each standing, and everybody who might ask for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from faces.asking import Asking, asking

from hsc.model import AccessChange, Dataset, Pid
from hsc.testing.contracts import example_activity, example_dataset, generated
from hsc_catalog import SqlCatalog
from hsc_catalog.access import ALL_SCOPES, OPERATOR, Caller
from hsc_catalog.app import create_app
from hsc_catalog.databases import Database
from hsc_catalog.identity import (
    NOBODY,
    Membership,
    Sources,
    TokenSource,
    authenticate,
    create_link,
    create_token,
)
from hsc_catalog.sql import open_database

PROPOSAL = "maxiv/20260123"
INSTRUMENT = "maxiv/CoSAXS"
LATER = datetime(2099, 1, 1, tzinfo=UTC)

GROUPS: Mapping[str, Membership] = {
    "stranger": Membership(groups=frozenset({"maxiv/20990000"})),
    "member": Membership(groups=frozenset({PROPOSAL})),
    "staff": Membership(staff_of=frozenset({INSTRUMENT})),
    "lead": Membership(groups=frozenset({PROPOSAL}), leads=frozenset({PROPOSAL})),
    "administrator": Membership(roles=frozenset({"administrator"})),
    "ingestor": Membership(roles=frozenset({"ingestor"})),
    "owner": NOBODY,
    "late": Membership(groups=frozenset({PROPOSAL})),
    "narrow": Membership(groups=frozenset({PROPOSAL})),
}
"""What the facility knows of each: ``late`` has a token past its time, ``narrow`` a wrong one."""

ROLES = ("anonymous", "link", *GROUPS)

STANDINGS: Mapping[str, AccessChange] = {
    "private": AccessChange(visibility="private", reason="x"),
    "group": AccessChange(visibility="group", reason="x"),
    "public": AccessChange(visibility="public", reason="x"),
    "embargoed": AccessChange(visibility="public", embargo_until=LATER, reason="x"),
    "proprietary": AccessChange(visibility="public", access_class="proprietary", reason="x"),
    "human": AccessChange(visibility="public", access_class="human", reason="x"),
}
"""How the datasets stand, each by the change that makes it so."""

OPENED = ("private", "human")
"""What the reviewer's link opens."""


class Facility:
    """Knows who belongs to what (`hsc_catalog.identity.GroupSource`)."""

    def membership(self, subject: str, claims: Mapping[str, Any]) -> Membership:
        """Give what is known of a subject."""
        return GROUPS.get(subject, NOBODY)


@dataclass
class Stage:
    """A catalog, and the people before it."""

    ask: Asking
    """Asks the application."""
    database: Database
    """What it serves."""
    datasets: Mapping[str, Dataset]
    """A dataset of each standing."""
    activities: Mapping[str, str]
    """The activity that generated each."""
    tokens: Mapping[str, str]
    """Token of each role that has one."""
    link: str
    """The reviewer's link."""

    def __call__(self, role: str, method: str, path: str, **more: Any) -> Any:
        """Send a request in a role."""
        if role == "link":
            more["headers"] = {**more.get("headers", {}), "HSC-Reviewer-Link": self.link}
        return self.ask(method, path, self.tokens.get(role), **more)


@contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    """Set the stage for the length of a block."""
    database = open_database(f"sqlite:///{folder}/catalog.sqlite", 5)
    sources = Sources(database, (TokenSource(database),), (Facility(),))
    app = create_app(database, authenticate=partial(authenticate, sources=sources))
    owner = Caller("owner", groups=frozenset({PROPOSAL}), scopes=ALL_SCOPES)
    datasets, activities = {}, {}
    for standing, change in STANDINGS.items():
        dataset = example_dataset(title=f"Secret {standing}", sample=f"sample {standing}")
        activity = example_activity()
        edges = generated(dataset, activity, ["blake3:cc"])
        SqlCatalog(database, owner).register(dataset, activity, edges)
        SqlCatalog(database, OPERATOR).change_access(dataset.pid, change)
        datasets[standing], activities[standing] = dataset, activity.id
    with asking(app) as ask:
        opened = [datasets[standing].pid for standing in OPENED]
        link = create_link(database, OPERATOR, opened).text
        yield Stage(ask, database, datasets, activities, _tokens(database), link)
    database.close()


def _tokens(database: Database) -> dict[str, str]:
    def long_ago() -> datetime:
        return datetime.now(UTC) - timedelta(days=100)

    made = {}
    for role in GROUPS:
        scopes = {"share"} if role == "narrow" else ALL_SCOPES - {"admin"}
        if role == "administrator":
            scopes = ALL_SCOPES
        clock = {"clock": long_ago} if role == "late" else {}
        issued = create_token(database, OPERATOR, name=role, scopes=scopes, subject=role, **clock)
        made[role] = issued.text
    return made


def pid_path(pid: Pid) -> str:
    """Give the path of a dataset."""
    return f"/v1/datasets/{pid}"
