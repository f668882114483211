"""What the files of a report say beside the chain's own numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from hsc.reductions.base import Inputs
from hsc.reductions.biosaxs.reporting import QUnit
from hsc.reductions.biosaxs.tree import Labels

NOT_RECORDED = "not recorded"
"""What stands where something is not known: nothing is invented."""


@dataclass(frozen=True, slots=True)
class ReportInput:
    """A dataset that the reduction took."""

    role: str
    """What it was for, as in ``buffer``."""
    pid: str
    """Its PID with its version."""
    title: str
    """Its title."""


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """What is known of sample, measurement and reduction; no time, no host, no PID of a result."""

    labels: Labels
    """Sample, instrument, parameters, reduction."""
    inputs: tuple[ReportInput, ...] = ()
    """The datasets, in the order that they were given."""
    software: Mapping[str, str] = field(default_factory=dict)
    """Programs whose version can change a number, with it."""
    q_unit: QUnit = "1/nm"
    """Unit of q in files for other programs."""

    @property
    def sample(self) -> str:
        """Name of the sample."""
        return self.labels.sample_name or NOT_RECORDED

    @property
    def instrument(self) -> str:
        """Name of the instrument."""
        return self.labels.instrument or NOT_RECORDED

    @property
    def program(self) -> str:
        """What made the numbers: the reduction with its version."""
        return f"hsc, reduction {self.labels.name}, version {self.labels.version}"

    def parameter(self, name: str) -> Any:
        """Give a parameter; None: the reduction has none of that name, or it was left open."""
        return self.labels.parameters.get(name)


def facts_of(inputs: Inputs, labels: Labels, packages: Iterable[str]) -> ReportFacts:
    """Gather what files say beside numbers.

    Parameters
    ----------
    inputs
        The datasets.
    labels
        Sample, instrument, parameters, reduction.
    packages
        Distributions whose version can change a number.
    """
    return ReportFacts(
        labels=labels,
        inputs=tuple(
            ReportInput(role, str(one.record.pid.at(one.record.version)), one.record.title)
            for role, one in inputs
        ),
        software={name: version(name) for name in packages},
        q_unit=labels.parameters.get("report_q_unit", "1/nm"),
    )
