"""Worlds to try access in: people, datasets made of each other, and what a plain reader would say.

The oracle below is written from docs/reference/access.md, person by person and dataset by dataset,
without sets, clauses or SQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from hsc.model import AccessChange, Dataset, Kind, Pid, Proposal, Sample
from hsc.testing.contracts import example_activity, example_dataset, generated
from hsc_catalog import SqlCatalog
from hsc_catalog.access import ALL_SCOPES, ANONYMOUS, OPERATOR, Caller

# Far ahead: searches keep what the clock of this machine says is over.
THEN = datetime(2100, 1, 1, tzinfo=UTC)
"""When everything is registered and changed."""
LIFTED = THEN + timedelta(days=1)
"""The embargo's moment, mostly."""
TICK = timedelta(microseconds=1)
TIMES = (THEN, LIFTED - TICK, LIFTED, LIFTED + TICK)

VISIBILITIES = ("public", "group", "private")
CLASSES = ("open", "proprietary", "human")
PROPOSALS = ("1", "2", None)
INSTRUMENTS = ("CoSAXS", "FemtoMAX")


def person(name: str | None, **facts: Any) -> Caller:
    """Give somebody who is signed in, with a token good for everything."""
    sets = {key: frozenset(value) for key, value in facts.items()}
    return Caller(name, scopes=ALL_SCOPES, **sets)


PEOPLE = (
    ANONYMOUS,
    person("anna", groups={"maxiv/1"}),
    person("bob", groups={"maxiv/1", "maxiv/2"}),
    person("lea", leads={"maxiv/1"}),
    person("leo", leads={"maxiv/2"}, groups={"friends"}),
    person("carl", staff_of={"maxiv/CoSAXS"}),
    person("eve", groups={"friends", "user:anna", "lead:maxiv/1", "staff:maxiv/CoSAXS"}),
    person("robot", roles={"ingestor"}),
    person("root", roles={"administrator"}),
)
"""Everybody who asks."""

MAKERS = (OPERATOR, *(each for each in PEOPLE if each.subject in ("anna", "lea", "carl", "robot")))


@dataclass
class Made:
    """A dataset of the world, as the oracle knows it."""

    dataset: Dataset
    owner: str | None
    inputs: set[int]
    visibility: str
    access_class: str
    embargo: datetime | None
    shared: set[str] = field(default_factory=set)
    asks: set[int] = field(default_factory=set)
    """Those inputs that have to be seen by name, too: they were not free when this was made."""

    def is_free(self, now: datetime) -> bool:
        """Tell whether everybody may see it."""
        over = self.embargo is None or self.embargo <= now
        return (self.visibility, self.access_class) == ("public", "open") and over

    def names(self, caller: Caller) -> bool:
        """Tell whether the dataset by itself names a caller."""
        who = self.dataset
        group = f"maxiv/{who.proposal}"
        stewards = (
            (caller.subject is not None and caller.subject == self.owner)
            or f"maxiv/{who.instrument}" in caller.staff_of
            or (who.proposal is not None and group in caller.leads)
        )
        member = who.proposal is not None and group in caller.groups | caller.leads
        theirs = not self.shared.isdisjoint(
            {each for each in caller.groups if ":" not in each} | {f"user:{caller.subject}"}
        )
        return stewards or (self.visibility != "private" and (member or theirs))


class World:
    """Datasets in a catalog, and beside it what should be seen of them."""

    def __init__(self, operator: SqlCatalog) -> None:
        self.catalog = SqlCatalog(operator.database, OPERATOR, lambda: THEN)
        self.made: list[Made] = []

    def as_seen(self, caller: Caller, now: datetime) -> SqlCatalog:
        """Give the catalog as somebody sees it at a moment."""
        return SqlCatalog(self.catalog.database, caller, lambda: now)

    def register(self, caller: Caller, inputs: Iterable[int], **facts: Any) -> None:
        """Register a dataset that was made of others, if the caller may."""
        used = {n for n in inputs if n < len(self.made)}
        dataset = example_dataset(kind=Kind.DERIVED if used else Kind.RAW, **facts)
        activity = example_activity(generated=(dataset.pid.at(1),))
        names = [f"{self.made[n].dataset.pid}@1" for n in sorted(used)] or ["blake3:cc"]
        self.as_seen(caller, THEN).register(dataset, activity, generated(dataset, activity, names))
        visibility = "private" if dataset.proposal is None else "group"
        if dataset.visibility == "public":
            visibility = "public"
        self.made.append(
            Made(
                dataset,
                caller.subject,
                used,
                visibility,
                dataset.access_class or "open",
                dataset.embargo_until,
            )
        )
        self._spread()

    def tighten(self, number: int, **change: Any) -> None:
        """Let the operator make a dataset stricter."""
        made = self.made[number]
        self.catalog.change_access(made.dataset.pid, AccessChange(reason="So it is.", **change))
        made.visibility = change.get("visibility", made.visibility)
        made.access_class = change.get("access_class", made.access_class)
        made.embargo = change.get("embargo_until", made.embargo)
        if made.visibility == "private":
            made.shared = set()
        self._spread()

    def share(self, number: int, group: str) -> None:
        """Let the operator share what was made of nothing, and of which nothing was made."""
        change = AccessChange(add_groups=(group,), reason="They asked.")
        self.catalog.change_access(self.made[number].dataset.pid, change)
        self.made[number].shared.add(group)

    def _spread(self) -> None:
        for _ in self.made:
            for made in self.made:
                for source in (self.made[n] for n in made.inputs):
                    self._inherit(made, source)

    def _inherit(self, made: Made, source: Made) -> None:
        made.visibility = max(made.visibility, source.visibility, key=VISIBILITIES.index)
        made.access_class = max(made.access_class, source.access_class, key=CLASSES.index)
        embargoes = [each for each in (made.embargo, source.embargo) if each is not None]
        made.embargo = max(embargoes, default=None)
        if made.visibility == "private":
            made.shared = set()
        if not source.is_free(THEN):
            made.asks.add(self.made.index(source))

    def sees(self, caller: Caller, number: int, now: datetime) -> bool:
        """Say whether somebody sees a dataset: the oracle."""
        if caller.operator or "administrator" in caller.roles:
            return True
        made = self.made[number]
        if made.dataset.pid in caller.datasets or made.is_free(now):
            return True
        chain = {number}
        while more := {n for each in chain for n in self.made[each].asks} - chain:
            chain |= more
        return all(self.made[n].names(caller) for n in chain)


facts = st.fixed_dictionaries(
    {
        "proposal": st.sampled_from(PROPOSALS),
        "instrument": st.sampled_from(INSTRUMENTS),
        "sample": st.sampled_from(("s1", "s2")),
        "visibility": st.sampled_from(("private", "private", "public")),
        "access_class": st.sampled_from((None, None, None, "proprietary", "human")),
        "embargo_until": st.sampled_from((None, None, LIFTED, LIFTED - TICK, THEN)),
    }
)
inputs = st.sets(st.integers(0, 4), max_size=2)
changes = st.sampled_from(
    (
        {"visibility": "group"},
        {"visibility": "private"},
        {"access_class": "human"},
        {"embargo_until": LIFTED + TICK},
    )
)
askers = st.lists(
    st.tuples(st.sampled_from(PEOPLE), st.sampled_from(TIMES)), min_size=3, max_size=3, unique=True
)


def keep_nouns(catalog: SqlCatalog) -> None:
    """Keep the proposals and samples that datasets of a world may name."""
    for number in ("1", "2"):
        catalog.keep(Proposal(facility="maxiv", number=number))
    for name in ("s1", "s2"):
        catalog.keep(Sample(facility="maxiv", id=name, name=name))


def pids(datasets: Sequence[Dataset]) -> set[Pid]:
    """Give the PIDs of datasets."""
    return {each.pid for each in datasets}
