"""What came of replaying a reduction: verdict, differences, versions."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from hsc.model import Pid, Record
from hsc.reading import Difference


class ReproduceRequest(Record):
    """Which derived dataset to make again."""

    pid: Pid
    """The dataset; without a version its newest."""
    keep: str | None = None
    """Folder that what is made again goes to and stays in; None: a temporary one."""
    workers: int | None = Field(default=None, ge=1)
    """Threads or processes at work; None: as many as there are processors."""


class VersionDifference(Record):
    """Code or machine that is not the recorded one."""

    name: str
    """Distribution, ``python``, ``cpu``, ``source_commit``, or ``reduction`` and its name."""
    recorded: str | None
    """Its version then; None: it was not recorded."""
    now: str | None
    """Its version now; None: it is not installed."""


class Reproduction(Record):
    """What came of replaying a reduction."""

    pid: str
    """The dataset, with its version."""
    reduction: str
    """Name of the reduction."""
    verdict: Literal["identical", "within_1_ulp", "different"]
    """``identical``: the same root, so every byte; ``within_1_ulp``: no value is further off than
    the next floating-point number, all else but what is ``left_out`` is equal; else
    ``different``."""
    first_difference: Difference | None = None
    """Where it differs first, by path; None unless different."""
    largest_difference: Difference | None = None
    """The largest difference of floats before that; None: no float differs."""
    left_out: tuple[str, ...] = ()
    """Arrays that name the version of the reduction, where another one is installed: they differ,
    and were not compared."""
    root: str
    """The recorded root."""
    root_now: str
    """The root of what was made now."""
    versions: tuple[VersionDifference, ...] = ()
    """What is not as it was recorded; empty: code and machine are as they were."""
    inputs: tuple[str, ...] = ()
    """PIDs with version that went in."""
    results: dict[str, Any] = Field(default_factory=dict)
    """The few numbers that people ask for first, as they come out now."""
    kept: str | None = None
    """Folder of what was made now; None: it is removed."""
    seconds: float
    """Time from start to verdict."""
