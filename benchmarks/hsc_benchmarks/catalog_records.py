"""Records such as a region's facilities have: proposals, datasets with numbers and words, edges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from hsc.model import (
    Activity,
    ActivityState,
    Agent,
    ArraySummary,
    Dataset,
    Edge,
    Environment,
    Kind,
    Pid,
    Proposal,
    Quantity,
    Registration,
    Way,
)

_BEGIN = datetime(2016, 1, 1, tzinfo=UTC)
_YEARS = 10.8
_EMBARGO = timedelta(days=3 * 365)
_VOCABULARY = 20_000
_TECHNIQUES = ("SAXS", "MX", "XAS", "XRD", "ptychography", "tomography", "RIXS", "ARPES", "SR-CD")
# Shares of datasets: some facilities make many more than others.
_FACILITIES = {
    "maxiv": 0.34, "desy": 0.27, "exfel": 0.15, "ess": 0.1, "embl": 0.06, "astrid": 0.04,
    "scilife": 0.03, "lub": 0.01,
}  # fmt: skip
_INSTRUMENTS = 8  # of a facility
_DERIVED = 0.3
_PER_PROPOSAL = 50


@dataclass(frozen=True, slots=True)
class Beamtime:
    """A proposal, and what its datasets have in common."""

    proposal: Proposal
    instrument: str
    techniques: tuple[str, ...]
    begin: datetime
    public: bool
    embargo: datetime

    @property
    def group(self) -> str:
        """Give the name of its members' group."""
        return f"{self.proposal.facility}/{self.proposal.number}"


@dataclass
class Records:
    """Makes the same records for the same count, in any process.

    Parameters
    ----------
    count
        How many datasets.
    """

    count: int
    beamtimes: list[Beamtime] = field(init=False)

    def __post_init__(self) -> None:
        self._random = np.random.default_rng(20261122)
        # Distinct words of 4 to 11 letters, as often as the words of a language are.
        letters = self._random.integers(97, 123, (_VOCABULARY, 11), np.uint8)
        lengths = self._random.integers(4, 12, _VOCABULARY)
        self.words = [
            bytes(row[:length]).decode() for row, length in zip(letters, lengths, strict=True)
        ]
        often = 1 / np.arange(3, _VOCABULARY + 3)
        self._often = np.cumsum(often / often.sum())
        self.beamtimes = [self._beamtime(n) for n in range(max(self.count // _PER_PROPOSAL, 20))]

    def registrations(self) -> Iterator[Registration]:
        """Give the datasets, oldest first, each with its activity and edges."""
        # A few proposals have many more datasets than most.
        weights = self._random.lognormal(0, 1, len(self.beamtimes))
        chosen = self._random.choice(len(self.beamtimes), self.count, p=weights / weights.sum())
        by_begin = np.argsort([self.beamtimes[each].begin for each in chosen], kind="stable")
        last: dict[int, Pid] = {}
        for place, each in enumerate(chosen[by_begin].tolist()):
            source = last.get(each) if self._random.random() < _DERIVED else None
            made = self.registration(self.beamtimes[each], place, source)
            last[each] = made.dataset.pid
            yield made

    def _beamtime(self, number: int) -> Beamtime:
        random = self._random
        facility = str(random.choice(list(_FACILITIES), p=list(_FACILITIES.values())))
        instrument = min(int(random.exponential(2)), _INSTRUMENTS - 1)
        begin = _BEGIN + timedelta(days=float(random.random()) * _YEARS * 365)
        first = (instrument * 3 + len(facility)) % len(_TECHNIQUES)
        techniques = (_TECHNIQUES[first], _TECHNIQUES[(first + 1) % len(_TECHNIQUES)])
        return Beamtime(
            Proposal(facility=facility, number=f"{begin.year}{number:05}", title=self._text(6)),
            f"beam{instrument}",
            techniques,
            begin,
            bool(random.random() < 0.6),
            begin + _EMBARGO,
        )

    def pid(self, place: int) -> Pid:
        """Give the PID of the dataset at a place, counted from the oldest."""
        return Pid(prefix="hsc.region", suffix=f"{place:026}")

    def registration(self, time: Beamtime, place: int, source: Pid | None) -> Registration:
        """Make a dataset of a beamtime, raw or derived from another, with activity and edges."""
        random = self._random
        kind = Kind.RAW if source is None else Kind.DERIVED
        if source is None and random.random() < 0.05:
            kind = Kind.CALIBRATION
        created = time.begin + timedelta(seconds=float(random.random()) * 3 * 86400)
        title = f"{self._text(4)} {place}"
        dataset = Dataset(
            pid=self.pid(place), kind=kind, title=title, facility=time.proposal.facility,
            instrument=time.instrument, proposal=time.proposal.number, sample=f"s{place % 4999}",
            technique=time.techniques[int(random.random() < 0.2)], description=self._text(42),
            created=created, collected=created, root=f"blake3:{place:064x}",
            source_id=f"blake3:{place + self.count:064x}", layout="dectris",
            location=f"file:///data/{time.group}/{place}/v1",
            bytes_in=int(random.lognormal(22, 2)), bytes_out=int(random.lognormal(21, 2)),
            arrays=(_ARRAY,), keywords=(self._text(1), self._text(1)),
            quantities=self._quantities(), scientific_metadata=self._metadata(place),
            visibility="public" if time.public else "group",
            embargo_until=time.embargo if time.public else None,
        )  # fmt: skip
        return _with_activity(dataset, place, source)

    def _quantities(self) -> dict[str, Quantity]:
        random = self._random
        energy = round(float(random.normal(12.4, 3)), 4)
        return {
            "photon_energy": Quantity(value=abs(energy) + 0.1, unit="keV"),
            "wavelength": Quantity(value=12.398 / (abs(energy) + 0.1), unit="angstrom"),
            "detector_distance": Quantity(value=float(random.gamma(3, 400)), unit="mm"),
            "exposure_time": Quantity(value=float(random.lognormal(-3, 2)), unit="s"),
            "flux": Quantity(value=float(random.lognormal(28, 2)), unit="ph/s"),
        }

    def _metadata(self, place: int) -> dict[str, Any]:
        random = self._random
        return {
            "sample": {
                "temperature": {"value": float(random.normal(290, 40)), "unit": "K"},
                "pressure": {"value": float(random.lognormal(6.9, 0.3)), "unit": "mbar"},
                "concentration": {"value": float(random.exponential(5)), "unit": "mg/ml"},
                "name": f"s{place % 4999}",
                "buffer": self._text(5),
            },
            "detector": {"name": "EIGER2 X 4M", "mode": self._text(1), "firmware": self._text(2)},
            "operator_notes": [self._text(6)],
        }

    def _text(self, words: int) -> str:
        places = np.searchsorted(self._often, self._random.random(words))
        return " ".join(self.words[place] for place in places.tolist())


_ARRAY = ArraySummary(
    path="/entry/data/data", shape=(300, 2162, 2068), dtype="uint32", chunks=(1, 2162, 2068),
    shards=(100, 2162, 2068), way=Way.PASSTHROUGH,
)  # fmt: skip
_ENVIRONMENT = Environment(
    packages={"zarr": "3.1.6", "numpy": "2.4.6"}, python="3.12.3", platform="Linux",
    host="ingest", process=1, cpus=64,
)  # fmt: skip


def _with_activity(dataset: Dataset, place: int, source: Pid | None) -> Registration:
    made = str(dataset.pid.at(1))
    origin = str(dataset.source_id) if source is None else str(source.at(1))
    activity = Activity(
        id=f"{place:026}", type="ingest" if source is None else "reduce", state=ActivityState.DONE,
        started=dataset.created, ended=dataset.created + timedelta(seconds=9),
        parameters={"verify": "sample"}, environment=_ENVIRONMENT,
        agents=(Agent(kind="person", id="anna"),), used=(origin,), generated=(dataset.pid.at(1),),
        input_roots=(), output_roots=(str(dataset.root),),
    )  # fmt: skip
    did = f"activity:{activity.id}"
    edges = [
        Edge(subject=made, predicate="was_generated_by", object=did),
        Edge(subject=did, predicate="used", object=origin, role="input"),
        Edge(subject=did, predicate="was_associated_with", object="agent:anna"),
    ]
    if source is not None:
        edges.append(Edge(subject=made, predicate="was_derived_from", object=origin))
    return Registration(dataset=dataset, activity=activity, edges=tuple(edges))
