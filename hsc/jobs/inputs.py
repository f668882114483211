"""Inputs of a reduction: where their datasets lie, and what an activity says of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from hsc.client import Catalog
from hsc.errors import ParameterError
from hsc.jobs.locating import Located, locate
from hsc.jobs.requests import ReduceRequest
from hsc.model import Dataset, Pid
from hsc.reading import open_dataset
from hsc.reductions import Inputs, Reduction


@dataclass(frozen=True, slots=True)
class LocatedInputs:
    """The datasets of a reduction, and where they can be read."""

    located: tuple[tuple[str, Located], ...]
    """Name of the input and place of its dataset, in the order that they were given."""
    remarks: tuple[str, ...] = ()
    """What to tell of them: gaps, newer versions."""

    @property
    def named(self) -> tuple[tuple[str, str], ...]:
        """Name of the input and PID with version."""
        return tuple((name, named(each.record)) for name, each in self.located)

    @property
    def records(self) -> tuple[Dataset, ...]:
        """Each dataset once, whatever it is used for."""
        return tuple({named(each.record): each.record for _, each in self.located}.values())

    @property
    def first(self) -> Dataset:
        """The input that the result is about: the sample, else what was given first."""
        samples = [each.record for name, each in self.located if name == "sample"]
        return samples[0] if samples else self.located[0][1].record

    @property
    def bytes_in(self) -> int:
        """Bytes of all of them."""
        return sum(record.bytes_out for record in self.records)

    @property
    def place(self) -> dict[str, Any]:
        """Facility, instrument and proposal, as an activity names where it takes place.

        Who is there sees what fails there, and an error names inputs and what is in them: so an
        instrument or a proposal is named only if it is that of all inputs.
        """
        first = self.first
        told: dict[str, Any] = {"facility": first.facility}
        for name in ("instrument", "proposal"):
            places = {(each.facility, getattr(each, name)) for each in self.records}
            told[name] = getattr(first, name) if len(places) == 1 else None
        return told

    def told(self, results: dict[str, Any]) -> dict[str, Any]:
        """Put what is to tell of the inputs before the warnings of a reduction's results."""
        if not self.remarks:
            return results
        return {**results, "warnings": [*self.remarks, *results.get("warnings", ())]}

    def check_once(self) -> None:
        """Refuse a dataset that is given twice for one input: it would count twice.

        Raises
        ------
        ParameterError
            One is, be it in two versions.
        """
        seen: set[tuple[str, str]] = set()
        for name, each in self.located:
            pid = str(each.record.pid)
            if (name, pid) in seen:
                raise ParameterError(
                    f"the input {name!r} is given {pid} twice: what is in it would count twice",
                    next_step="give each dataset once; a new version has all that an older one has",
                )
            seen.add((name, pid))

    def open(self) -> Inputs:
        """Open the datasets; nothing is read yet."""
        return Inputs(
            tuple((name, open_dataset(each.record, each.others)) for name, each in self.located)
        )


def locate_inputs(
    request: ReduceRequest, reduction: Reduction[Any], catalog: Catalog
) -> LocatedInputs:
    """Find the datasets of a request.

    Raises
    ------
    ParameterError
        An input is missing, unknown, or given more often than it can be.
    DatasetNotFoundError
        There is no such dataset.
    """
    names = reduction.input_names(role for role, _ in request.inputs)
    pids = [pid for _, pid in request.inputs]
    located = [locate(catalog, pid) for pid in pids]
    remarks = tuple(_remarks(pids, located, catalog))
    return LocatedInputs(tuple(zip(names, located, strict=True)), remarks)


def _remarks(asked: Iterable[Pid], located: Iterable[Located], catalog: Catalog) -> Iterator[str]:
    """Say of which inputs something is missing, and of which there is a newer version."""
    for record in {named(each.record): each.record for each in located}.values():
        if record.gaps:
            more = f" and {len(record.gaps) - 1} more" if len(record.gaps) > 1 else ""
            first = record.gaps[0]
            yield f"{named(record)} has gaps: {first.path}: {first.reason}{more}"
    for pid in dict.fromkeys(pid for pid in asked if pid.version is not None):
        newest = catalog.get(pid.latest())
        if newest.version != pid.version:
            yield f"of {pid} there is a newer version, {named(newest)}"


def named(record: Dataset) -> str:
    """Give a dataset's PID with its version."""
    return str(record.pid.at(record.version))
