"""What a check found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

_MOST = 10_000


@dataclass
class Checked:
    """What a check found."""

    datasets: int = 0
    """Versions of datasets."""
    activities: int = 0
    """Activities."""
    changes: int = 0
    """Rows of the audit log."""
    head: str = ""
    """Digest of the audit log's newest row."""
    wrong: int = 0
    """How much does not agree."""
    faults: list[str] = field(default_factory=list)
    """What does not agree, each in a line; of very many the first."""

    def note(self, faults: Iterable[str]) -> None:
        """Take in what does not agree."""
        for each in faults:
            self.wrong += 1
            if len(self.faults) < _MOST:
                self.faults.append(each)

    def document(self) -> dict[str, Any]:
        """Give it as plain JSON values."""
        return asdict(self)
