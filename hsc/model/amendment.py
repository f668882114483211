"""Amendment: what is corrected in a dataset's record, and why."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from hsc.model.dataset import Dataset
from hsc.model.limits import LISTED, Name, SortedNames, Text
from hsc.model.person import Person
from hsc.model.quantity import Quantity
from hsc.model.technique import Technique
from hsc.model.wire import UtcTime, VersionedRecord

AmendedField = Literal[
    "proposal",
    "sample",
    "instrument",
    "description",
    "people",
    "techniques",
    "technique",
    "keywords",
    "license",
    "quantities",
    "started",
    "ended",
    "level",
]
"""Fields of a dataset's record that may be emptied."""


class Amendment(VersionedRecord):
    """New values for fields of a dataset's record; what is None stays."""

    format: Literal["hsc.amendment/1"] = "hsc.amendment/1"
    """Name and version of this wire form."""
    title: Text | None = Field(default=None, min_length=1)
    """The new title."""
    description: Text | None = None
    """The new description."""
    proposal: Name | None = None
    """The proposal's number."""
    sample: Name | None = None
    """The sample's name."""
    instrument: Name | None = None
    """The instrument's short name."""
    people: tuple[Person, ...] | None = Field(default=None, max_length=LISTED)
    """All people, in place of those of before."""
    technique: Name | None = None
    """The technique's usual short name."""
    techniques: tuple[Technique, ...] | None = Field(default=None, max_length=LISTED)
    """All techniques, in place of those of before."""
    keywords: SortedNames | None = Field(default=None, max_length=LISTED)
    """All keywords, in place of those of before."""
    license: Name | None = None
    """SPDX identifier of the licence."""
    quantities: dict[Name, Quantity] | None = Field(default=None, max_length=LISTED)
    """Quantities to be put beside or in place of those of the same names."""
    started: UtcTime | None = None
    """When the measurement began."""
    ended: UtcTime | None = None
    """When it ended."""
    level: int | None = Field(default=None, ge=0, le=4)
    """How far the data is processed."""
    clear: tuple[AmendedField, ...] = ()
    """Fields that shall say nothing any more."""
    reason: Text = Field(min_length=1)
    """Why."""

    @model_validator(mode="after")
    def _says_something_once(self) -> Amendment:
        given = self.changes()
        if not given and not self.clear:
            raise ValueError("an amendment has to change something")
        if twice := set(given) & set(self.clear):
            raise ValueError(f"both given and cleared: {', '.join(sorted(twice))}")
        return self

    def changes(self) -> dict[str, object]:
        """Give the fields that get a new value."""
        others = {"format", "clear", "reason"}
        names = (name for name in type(self).model_fields if name not in others)
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    def applied(self, dataset: Dataset) -> Dataset:
        """Give a dataset's record as it stands with this amendment.

        Raises
        ------
        pydantic.ValidationError
            Together they make no record, as when it would end before it began.
        """
        changes = self.changes()
        for name in self.clear:
            changes[name] = Dataset.model_fields[name].get_default(call_default_factory=True)
        if self.quantities is not None:
            changes["quantities"] = {**dataset.quantities, **self.quantities}
        return Dataset(**{**dict(dataset), **changes})
