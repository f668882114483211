"""What every reduction is: a name, inputs, parameters, and a run that gives a tree and numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from hsc.errors import ParameterError
from hsc.model import Quantity, Record
from hsc.reductions.inputs import Given, Input, Inputs, pairs_of
from hsc.reductions.sources import SINGLE_PICTURES, SourceArray, SourceDataset, array_for
from hsc.reductions.units import worded
from hsc.store import NewTree, Stream
from hsc.workers import Progress, Silent, Workers

__all__ = [
    "SINGLE_PICTURES",
    "Input",
    "Inputs",
    "Outputs",
    "Reduction",
    "SourceArray",
    "SourceDataset",
    "array_for",
]

P = TypeVar("P", bound=Record)


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

    @property
    def only_input(self) -> str:
        """The input that a dataset without a role fills; empty where several have to be given."""
        required = [one.name for one in self.inputs if one.required]
        return required[0] if len(required) == 1 else ""

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
        values = dict(given or {})
        self._refuse_truths(values, sources or {})
        try:
            return self.parameters.model_validate(values)
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
        pairs = pairs_of(given)
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
        names = tuple(name or self.only_input for name in given)
        known = {one.name: one for one in self.inputs}
        said = [f"no input {name!r}" for name in required if name not in names]
        said += [
            f"unknown input {name!r}" if name else "a dataset without the name of its input"
            for name in dict.fromkeys(names)
            if name not in known
        ]
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

    def _refuse_truths(self, given: Mapping[str, Any], sources: Mapping[str, str]) -> None:
        """Refuse true and false where a number is meant: Python would take them for 1 and 0."""
        fields = self.parameters.model_fields
        for name, value in given.items():
            if isinstance(value, bool) and name in fields and fields[name].annotation is not bool:
                raise self._refusal([_said(name, "it is no yes or no", value, sources)])

    def _complaint(self, error: ValidationError, sources: Mapping[str, str]) -> ParameterError:
        said, unheard = [], False
        for one in error.errors():
            name = ".".join(str(part) for part in one["loc"]) or self.name
            message = one["msg"]
            if one["type"] == "extra_forbidden":
                close = get_close_matches(name, self.parameters.model_fields, 1)
                unheard |= not close
                message = "there is no such parameter"
                message += f"; did you mean {close[0]}?" if close else ""
            said.append(_said(name, message, one["input"], sources))
        return self._refusal(said, listing=unheard)

    def _refusal(self, said: list[str], *, listing: bool = False) -> ParameterError:
        told = f"`hsc reductions {self.name}` tells of each parameter"
        if listing:
            told = f"its parameters are {', '.join(sorted(self.parameters.model_fields))}; {told}"
        return ParameterError(f"reduction {self.name}: {'; '.join(said)}", next_step=told)


def _said(name: str, message: str, value: object, sources: Mapping[str, str]) -> str:
    by = f" by {sources[name]}" if name in sources else ""
    return f"{worded(name)}: {message} (given{by}: {value!r})"
