"""What every reduction is: a name, inputs, parameters, and a run that gives a tree and numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from hsc.errors import ParameterError, RoleMissingError
from hsc.model import Dataset, Quantity, Record
from hsc.reductions.units import worded
from hsc.store import NewTree, Stream
from hsc.workers import Progress, Silent, Workers

P = TypeVar("P", bound=Record)


class SourceArray(Protocol):
    """An array of an opened dataset; cheap to pickle, reads by itself on a worker."""

    @property
    def path(self) -> str:
        """Where it stands in the tree."""
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """Elements along each dimension."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Element type."""
        ...

    @property
    def chunks(self) -> tuple[int, ...]:
        """Shape of an inner chunk."""
        ...

    @property
    def attributes(self) -> Mapping[str, Any]:
        """Plain JSON values, ``units`` among them."""
        ...

    def read(self, start: int = 0, stop: int | None = None) -> NDArray[Any]:
        """Give rows [start, stop) of the first axis, checked and decoded."""
        ...

    def batches(
        self, start: int = 0, stop: int | None = None, *, rows: int
    ) -> Iterator[NDArray[Any]]:
        """Give the rows that `read` gives, at most so many at a time, in a buffer used again.

        It is the fastest way to go through a stack: checked and decoded by this thread alone,
        in bounded memory. A batch stands there until the next one is asked for.
        """
        ...

    def unwritten(self) -> tuple[int, ...]:
        """Give the rows of the first axis that were not all written at the source."""
        ...

    def scalar(self) -> float | str:
        """Give the value of an array of one element."""
        ...


class SourceDataset(Protocol):
    """An opened dataset, as far as reductions look at it."""

    @property
    def record(self) -> Dataset:
        """The catalog's record."""
        ...

    @property
    def roles(self) -> Mapping[str, str]:
        """Role to array path."""
        ...

    def role(self, name: str) -> SourceArray:
        """Give the array for a role; RoleMissingError when there is none."""
        ...

    def placement(self, path: str) -> NDArray[np.float64]:
        """Give the matrices of a chain of ``depends_on``, lengths in m: (n, 4, 4)."""


@dataclass(frozen=True, slots=True)
class Input:
    """A dataset that a reduction takes."""

    name: str
    """What it is for the reduction, as in ``buffer``."""
    description: str
    """One line for people."""
    required: bool = True
    """Whether the reduction does not run without it."""
    many: bool = False
    """Whether it takes several datasets, in the order that they are given."""

    @property
    def usage(self) -> str:
        """How it is given: ``buffer=PID``, with what may be left out or given again.

        Examples
        --------
        >>> Input("mask", "bad pixels", required=False, many=True).usage
        '[mask=PID]...'
        """
        once = f"{self.name}=PID" if self.required else f"[{self.name}=PID]"
        return f"{once}..." if self.many else once


@dataclass(frozen=True, slots=True)
class Inputs:
    """The datasets that a reduction was given, by the name of the input that they fill."""

    datasets: tuple[tuple[str, SourceDataset], ...]
    """Name and dataset; those of one name stand in the order that they were given."""

    def one(self, name: str) -> SourceDataset:
        """Give the dataset of an input that has to be there.

        Raises
        ------
        ParameterError
            It is not, or there are several.
        """
        found = self.optional(name)
        if found is None:
            raise ParameterError(f"no input {name!r}", next_step=f"give it: {name}=PID")
        return found

    def optional(self, name: str) -> SourceDataset | None:
        """Give the dataset of an input that may be left out.

        Raises
        ------
        ParameterError
            There are several.
        """
        found = self.every(name)
        if len(found) > 1:
            raise ParameterError(
                f"{len(found)} datasets for the input {name!r}, which takes one",
                next_step="give the one that is meant",
            )
        return found[0] if found else None

    def every(self, name: str) -> tuple[SourceDataset, ...]:
        """Give all datasets of an input, in the order that they were given."""
        return tuple(dataset for known, dataset in self.datasets if known == name)

    def __contains__(self, name: object) -> bool:
        return any(known == name for known, _ in self.datasets)

    def __iter__(self) -> Iterator[tuple[str, SourceDataset]]:
        return iter(self.datasets)


Given = Inputs | Mapping[str, SourceDataset | tuple[SourceDataset, ...]]
"""Datasets by the name of their input; several of one name as a tuple."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """What a reduction gives back."""

    tree: NewTree
    """The derived dataset, to be written."""
    results: dict[str, Any]
    """The few numbers people ask for first, units in the names; plain JSON values."""
    quantities: dict[str, Quantity]
    """Numbers to search by."""
    title: str
    """One line for people."""
    technique: str | None = "SAXS"
    """The technique's usual short name; None: as the first input says."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """What stands below ``files/`` of the derived dataset, by name (``report.html``); in its root,
    and so without time, host, or the PID that it will have."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What was found in the datasets and decides the result, for the activity: numbers with where
    they were found, digests of tables and masks. Plain JSON values."""
    streams: tuple[Stream, ...] = ()
    """Arrays that are too large for memory: workers make and write them block by block."""


@dataclass(frozen=True)
class Reduction(Generic[P]):
    """A way from datasets to a derived dataset: pure, the same bytes for any workers."""

    name: str
    """The name that it is asked for by."""
    version: str
    """Changes whenever the same inputs and parameters would give other bytes."""
    summary: str
    """One line for people."""
    inputs: tuple[Input, ...]
    """The datasets that it takes."""
    parameters: type[P]
    """What can be set, with defaults and units."""
    function: Callable[[Inputs, P, Workers, Progress], Outputs] = field(repr=False)
    """What does it."""
    packages: tuple[str, ...] = ()
    """Distributions beside hsc, numpy and numba whose version can change a byte of the result."""
    order: str = "int-exact"
    """In which order numbers are summed: ``int-exact`` where they are integers and any order gives
    the same, ``pixel-order-f64/v1`` for float64 in ascending order of pixels within a frame."""

    def parse(
        self,
        given: Mapping[str, Any] | P | None = None,
        sources: Mapping[str, str] | None = None,
    ) -> P:
        """Check parameters and write out the defaults.

        Parameters
        ----------
        given
            Values by name.
        sources
            Where each was given, for the error: ``-p``, or the recipe's name.

        Raises
        ------
        ParameterError
            A name is unknown or a value impossible.
        """
        if isinstance(given, self.parameters):
            return given
        try:
            return self.parameters.model_validate(dict(given or {}))
        except ValidationError as error:
            raise self._complaint(error, sources or {}) from error

    def bind(self, given: Given | Iterable[tuple[str, SourceDataset]]) -> Inputs:
        """Check that datasets are those that the reduction takes.

        The empty name stands for the only required input, when there is only one.

        Raises
        ------
        ParameterError
            An input is missing, unknown, or given more often than it can be.
        """
        pairs = _pairs(given)
        return Inputs(
            tuple(
                zip(
                    self.input_names([name for name, _ in pairs]),
                    (dataset for _, dataset in pairs),
                    strict=True,
                )
            )
        )

    def input_names(self, given: Iterable[str]) -> tuple[str, ...]:
        """Check the names of inputs, before any dataset is looked for; give them in full.

        Raises
        ------
        ParameterError
            An input is missing, unknown, or given more often than it can be.
        """
        required = [one.name for one in self.inputs if one.required]
        only = required[0] if len(required) == 1 else ""
        names = tuple(name or only for name in given)
        known = {one.name: one for one in self.inputs}
        said = [f"no input {name!r}" for name in required if name not in names]
        said += [f"unknown input {name!r}" for name in dict.fromkeys(names) if name not in known]
        said += [
            f"{names.count(name)} datasets for the input {name!r}, which takes one"
            for name, one in known.items()
            if names.count(name) > 1 and not one.many
        ]
        if said:
            raise ParameterError(
                f"reduction {self.name}: {', '.join(said)}",
                next_step=f"give {' '.join(one.usage for one in self.inputs)}",
            )
        return names

    def run(
        self,
        datasets: Given,
        parameters: Mapping[str, Any] | P | None,
        workers: Workers,
        progress: Progress | None = None,
    ) -> Outputs:
        """Reduce datasets.

        Raises
        ------
        ParameterError, RoleMissingError
            Something that the reduction needs is missing or impossible.
        ReductionError
            The data do not allow it.
        """
        return self.function(
            self.bind(datasets), self.parse(parameters), workers, progress or Silent()
        )

    def _complaint(self, error: ValidationError, sources: Mapping[str, str]) -> ParameterError:
        said = []
        for one in error.errors():
            name = ".".join(str(part) for part in one["loc"]) or self.name
            by = f" by {sources[name]}" if name in sources else ""
            said.append(f"{worded(name)}: {one['msg']} (given{by}: {one['input']!r})")
        return ParameterError(
            f"reduction {self.name}: {'; '.join(said)}",
            next_step=f"its parameters are {', '.join(sorted(self.parameters.model_fields))}; "
            f"`hsc reductions {self.name}` tells of each",
        )


def _pairs(
    given: Given | Iterable[tuple[str, SourceDataset]],
) -> tuple[tuple[str, SourceDataset], ...]:
    if not isinstance(given, Mapping):
        return tuple(given)
    return tuple(
        (name, each)
        for name, filled in given.items()
        for each in (filled if isinstance(filled, tuple) else (filled,))
    )


def array_for(dataset: SourceDataset, role: str, why: str) -> SourceArray:
    """Give the array for a role.

    Raises
    ------
    RoleMissingError
        The dataset has none; the message says why it was wanted.
    """
    if role not in dataset.roles:
        known = ", ".join(sorted(dataset.roles)) or "none"
        raise RoleMissingError(
            f"no array has the role {role!r}, which {why}",
            where=str(dataset.record.pid),
            next_step=f"its roles are: {known}",
        )
    return dataset.role(role)
