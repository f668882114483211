"""What a reduction takes: its inputs by name, and the datasets that fill them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from hsc.errors import ParameterError
from hsc.reductions.sources import SourceDataset


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

    def check_unlike(
        self,
        name: str,
        other: str,
        because: str = "is subtracted from it: nothing would be left",
        next_step: str = "give the one that is meant for each",
    ) -> None:
        """Refuse a dataset that is given for two inputs which are subtracted or divided.

        Parameters
        ----------
        name, other
            The inputs that must differ.
        because
            What ``other`` is to ``name`` and what would come of it, for the error.
        next_step
            What to do instead.

        Raises
        ------
        ParameterError
            One is given for both, be it in two versions.
        """
        theirs = {each.record.pid for each in self.every(other)}
        for each in self.every(name):
            if each.record.pid in theirs:
                raise ParameterError(
                    f"{each.record.pid} is given as {name!r} and as {other!r}, which {because}",
                    next_step=next_step,
                )

    def __contains__(self, name: object) -> bool:
        return any(known == name for known, _ in self.datasets)

    def __iter__(self) -> Iterator[tuple[str, SourceDataset]]:
        return iter(self.datasets)


Given = Inputs | Mapping[str, SourceDataset | tuple[SourceDataset, ...]]
"""Datasets by the name of their input; several of one name as a tuple."""


def pairs_of(
    given: Given | Iterable[tuple[str, SourceDataset]],
) -> tuple[tuple[str, SourceDataset], ...]:
    """Give name and dataset of each that was given, in order."""
    if not isinstance(given, Mapping):
        return tuple(given)
    return tuple(
        (name, each)
        for name, filled in given.items()
        for each in (filled if isinstance(filled, tuple) else (filled,))
    )
