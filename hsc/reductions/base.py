"""What every reduction is: a name, inputs, parameters, and a run that gives a tree and numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from hsc.errors import ParameterError, RoleMissingError
from hsc.model import Dataset, Quantity, Record
from hsc.store import NewTree
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


Inputs = Mapping[str, SourceDataset]
"""Datasets by the name of the input that they fill."""


@dataclass(frozen=True, slots=True)
class Input:
    """A dataset that a reduction takes."""

    name: str
    """What it is for the reduction, as in ``buffer``."""
    description: str
    """One line for people."""
    required: bool = True
    """Whether the reduction runs without it."""


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
    technique: str = "SAXS"
    """The technique's usual short name."""


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

    def parse(self, given: Mapping[str, Any] | P | None = None) -> P:
        """Check parameters and write out the defaults.

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
            raise self._complaint(error) from error

    def bind(self, datasets: Mapping[str, SourceDataset]) -> dict[str, SourceDataset]:
        """Check that the datasets are those the reduction takes.

        The empty name stands for the only required input, when there is only one.

        Raises
        ------
        ParameterError
            An input is missing or unknown.
        """
        required = [one.name for one in self.inputs if one.required]
        bound = dict(datasets)
        if "" in bound and len(required) == 1:
            bound.setdefault(required[0], bound.pop(""))
        known = [one.name for one in self.inputs]
        wrong = [name for name in bound if name not in known]
        missing = [name for name in required if name not in bound]
        if wrong or missing:
            said = [f"no input {name!r}" for name in missing]
            said += [f"unknown input {name!r}" for name in wrong]
            raise ParameterError(
                f"reduction {self.name}: {', '.join(said)}",
                next_step="give "
                + ", ".join(
                    f"{i.name}=PID{'' if i.required else ' (optional)'}" for i in self.inputs
                ),
            )
        return bound

    def run(
        self,
        datasets: Mapping[str, SourceDataset],
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

    def _complaint(self, error: ValidationError) -> ParameterError:
        said = []
        for one in error.errors():
            name = ".".join(str(part) for part in one["loc"]) or self.name
            said.append(f"{name}: {one['msg']} (given: {one['input']!r})")
        return ParameterError(
            f"reduction {self.name}: {'; '.join(said)}",
            next_step=f"its parameters are {', '.join(sorted(self.parameters.model_fields))}",
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
