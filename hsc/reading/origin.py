"""Origin: what a tree was opened from, which goes with it through copies and pickles."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from hsc.model import Dataset
from hsc.reading.fields import Fields
from hsc.reading.opened import OpenedDataset, open_dataset
from hsc.reading.regions import Gaps

ORIGIN = "hsc"
"""Where a tree's encoding keeps its origin."""


class Origin:
    """What a tree was opened from.

    Parameters
    ----------
    dataset
        The dataset.
    gaps
        What gaps read as.
    """

    def __init__(self, dataset: OpenedDataset, gaps: Gaps) -> None:
        self.dataset = dataset
        self.gaps = gaps

    @cached_property
    def fields(self) -> Fields:
        """Its arrays, group by group."""
        return Fields(self.dataset)

    @cached_property
    def renamed(self) -> dict[str, str]:
        """True path of groups that stand elsewhere in the tree, by where that is."""
        places = {path: self.place(path) for path in self.fields.groups}
        return {place: path for path, place in places.items() if place != path}

    def place(self, path: str) -> str:
        """Give where a group stands in the tree: ``.`` and ``..`` mean others there."""
        names = path.split("/")
        if not {".", ".."} & set(names):
            return path
        stored = self.dataset.documents[path]["key"].split("/")
        shown = [s if n in (".", "..") else n for n, s in zip(names[1:], stored, strict=True)]
        return f"/{'/'.join(shown)}"

    def __deepcopy__(self, memo: dict[int, Any]) -> Origin:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        # What is open here stays here: in another process it is opened anew.
        return _again, (self.dataset.record, self.dataset.others, self.gaps)


def _again(record: Dataset, others: tuple[str, ...], gaps: Gaps) -> Origin:
    return Origin(open_dataset(record, others), gaps)
