"""Datasets of many sorts in a catalog, and what searches have to find of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from hypothesis import strategies as st
from sqlalchemy import select, update

from hsc.model import Condition, Dataset, Kind, Pid, Quantity, Query, Registration, now
from hsc.testing.contracts import NOON, example_activity, example_dataset
from hsc.testing.matching import matches
from hsc_catalog import SqlCatalog, tables
from hsc_catalog.access import ANONYMOUS, OPERATOR, AccessSet, Caller, interned
from hsc_catalog.databases import Database
from hsc_catalog.searching import relist

LATER = now() + timedelta(days=400)
SOON = now() + timedelta(days=100)
GROUPS = ("maxiv/1", "maxiv/2", "desy/1")
CALLERS = (
    OPERATOR,
    ANONYMOUS,
    Caller("anna", groups=frozenset({"maxiv/1"})),
    Caller("bo", groups=frozenset(GROUPS[1:])),
)
WORDS = ("lysozyme", "lysosome", "water", "buffer", "haemoglobin", "åska")


@dataclass
class Population:
    """Datasets in a catalog, and what is known of them without it."""

    database: Database
    datasets: dict[str, Dataset] = field(default_factory=dict)
    access: dict[str, AccessSet] = field(default_factory=dict)
    withdrawn: set[str] = field(default_factory=set)

    def register(self, datasets: list[Dataset]) -> None:
        items = [Registration(dataset=each, activity=example_activity()) for each in datasets]
        SqlCatalog(self.database).register_many(items)
        for each in datasets:
            known = self.datasets.get(str(each.pid))
            if known is None or known.version < each.version:
                self.datasets[str(each.pid)] = each

    def stand(self, pids: list[str], access: AccessSet) -> None:
        """Give datasets an access set."""
        row = tables.dataset.c
        with self.database.writing() as connection:
            here = update(tables.dataset).where(row.pid.in_(pids))
            connection.execute(here.values(access=interned(connection, access)))
            relist(connection, connection.scalars(select(row.id).where(row.pid.in_(pids))).all())
        self.access |= dict.fromkeys(pids, access)

    def withdraw(self, pid: str) -> None:
        row = tables.dataset.c
        with self.database.writing() as connection:
            connection.execute(update(tables.dataset).where(row.pid == pid).values(withdrawn=1))
            relist(connection, connection.scalars(select(row.id).where(row.pid == pid)).all())
        self.withdrawn.add(pid)

    def found(self, caller: Caller, query: Query, moment: datetime) -> list[Dataset]:
        """Give what a search has to find, by looking at every dataset."""
        seen = [
            each
            for pid, each in self.datasets.items()
            if pid not in self.withdrawn
            and (self._sees(caller, pid, moment) or each.pid in caller.datasets)
            and matches(each, query)
        ]
        return sorted(seen, key=lambda each: (each.created, str(each.pid)), reverse=True)

    def _sees(self, caller: Caller, pid: str, moment: datetime) -> bool:
        access = self.access[pid]
        free = access.is_free(tables.microseconds(moment))
        return caller.sees_everything or free or bool(access.own & caller.keys())


def populated(database: Database) -> Population:
    """Fill a catalog: with rows in columns and rows that are in none yet, changed ones in both."""
    random, people = Random(5), Population(database)
    made = [some_dataset(random, n) for n in range(330)]
    people.register(made[:300])
    for each in made[300:]:
        people.register([each])
    pids = list(people.datasets)
    for access in sets():
        people.stand(
            [pid for pid in pids if random.random() < 0.3 or pid not in people.access], access
        )
    for place in (3, 299, 300, 329):
        newer = made[place].model_copy(update={"version": 2, "root": "r2", "technique": "MX"})
        people.register([newer])
        # All versions of a dataset share one access; who registers the next one sees to that.
        people.stand([str(newer.pid)], people.access[str(newer.pid)])
    for place in (5, 310):
        people.withdraw(str(made[place].pid))
    return people


def sets() -> list[AccessSet]:
    own = [frozenset({group}) for group in GROUPS]
    return [
        AccessSet("group", own=own[0]),
        AccessSet("group", own=own[0] | own[2]),
        AccessSet("public"),
        AccessSet("public", "proprietary", own=own[1]),
        AccessSet("public", embargo=tables.microseconds(NOON - timedelta(days=900)), own=own[1]),
        AccessSet("public", embargo=tables.microseconds(SOON), own=own[2]),
        AccessSet("private", own=frozenset({"user:anna"})),
    ]


def some_dataset(random: Random, number: int) -> Dataset:
    number_of = {
        name: Quantity(value=random.randrange(20), unit=random.choice(units))
        for name, units in (("energy", ("keV", "eV", "ph/s")), ("size", ("nm", "m")), ("t", ("K",)))
        if random.random() < 0.8
    }
    return example_dataset(
        pid=Pid.parse(f"hsc.maxiv/{number * 7919 % 1000:026}"),
        kind=random.choice(list(Kind)[:3]),
        title=" ".join(random.choices(WORDS, k=3)),
        facility=random.choice(("maxiv", "desy")),
        instrument=random.choice(("CoSAXS", "P12", None)),
        technique=random.choice(("SAXS", "MX", None)),
        proposal=random.choice(("1", "2", None)),
        sample=random.choice(("s1", "s2", None)),
        keywords=tuple(random.sample(WORDS, 2)),
        created=NOON + timedelta(microseconds=random.randrange(4)),
        quantities=number_of,
        arrays=(),
        gaps=(),
    )


def conditions() -> st.SearchStrategy[Condition]:
    bounds = st.builds(
        Quantity,
        value=st.integers(-1, 21).map(float),
        unit=st.sampled_from(("keV", "eV", "ph/s", "nm", "m", "K")),
    )
    comparisons = st.sampled_from(("<", "<=", "=", ">=", ">"))
    names = st.sampled_from(("energy", "size", "t", "nothing"))
    return st.builds(Condition, name=names, comparison=comparisons, bound=bounds)


def queries() -> st.SearchStrategy[Query]:
    return st.builds(
        Query,
        text=st.sampled_from(("", "", "", "lyso", "lysozyme", "water åska", "lys", "P12", "x" * 9)),
        facility=st.sampled_from((None, None, "maxiv", "nowhere")),
        instrument=st.sampled_from((None, None, "CoSAXS")),
        technique=st.sampled_from((None, None, "MX")),
        kind=st.sampled_from((None, None, "raw")),
        proposal=st.sampled_from((None, None, "1")),
        sample=st.sampled_from((None, None, "s1")),
        keyword=st.sampled_from((None, None, "water")),
        where=st.lists(conditions(), max_size=3).map(tuple),
        limit=st.sampled_from((0, 1, 7, 25, 300)),
    )
