"""Progress of long work, as a seam: the terminal draws it, a flow logs it, a test counts it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Hears how far long work has come; calls may come from several threads."""

    def start(self, stage: str, total: int, unit: str) -> None:
        """Begin a stage of ``total`` units (``bytes``, ``frames`` ...)."""
        ...

    def advance(self, amount: int) -> None:
        """Tell that ``amount`` more units of the present stage are done."""
        ...

    def finish(self) -> None:
        """End the present stage."""
        ...


class Silent:
    """Says nothing."""

    def start(self, stage: str, total: int, unit: str) -> None:
        """Begin a stage."""

    def advance(self, amount: int) -> None:
        """Tell of progress."""

    def finish(self) -> None:
        """End a stage."""
