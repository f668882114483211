"""What a verify is asked and what it answers."""

from __future__ import annotations

from hsc.model import Failure, Pid, Record
from hsc.store import Damage


class VerifyRequest(Record):
    """Which version to verify, and where."""

    pid: Pid
    """The dataset; without a version the newest."""
    replica: str | None = None
    """URL of the version's folder; None: the first replica."""
    every: bool = False
    """Whether to verify all replicas that the catalog knows."""
    source: str | None = None
    """Absolute path of the file or run that it was made of, to be compared with; None: not."""
    workers: int | None = None
    """Threads or processes at work; None: as many as there are processors."""


class VerifiedReplica(Record):
    """What a verify found at one place."""

    location: str
    """URL of the version's folder."""
    objects: int
    """Objects that were looked at."""
    bytes: int
    """Bytes that were read."""
    damaged: tuple[Damage, ...] = ()
    """What is not as it was written."""
    not_fetched: tuple[str, ...] = ()
    """Keys that were left out on purpose when this copy was fetched."""
    failure: Failure | None = None
    """Why it could not be looked at, one of several; None: it was."""


class Verification(Record):
    """What a verify found."""

    pid: Pid
    """The dataset, without a version."""
    version: int
    """Which version of it."""
    objects: int
    """Objects that were looked at, of all replicas."""
    bytes: int
    """Bytes that were read."""
    damaged: tuple[Damage, ...] = ()
    """What is not as it was written, of all replicas."""
    replicas: tuple[VerifiedReplica, ...] = ()
    """The same by replica."""
    compared: int | None = None
    """How many chunks were decoded and found equal to the source's; None: that was not done."""
    seconds: float = 0.0
    """How long it took."""

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Why replicas could not be looked at."""
        return tuple(each.failure for each in self.replicas if each.failure is not None)
