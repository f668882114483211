"""Sample: what was measured."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hsc.model.limits import LISTED, JsonObject, Name, Text
from hsc.model.person import Person
from hsc.model.quantity import Quantity
from hsc.model.wire import Record, VersionedRecord

SampleState = Literal["solid", "liquid", "gas", "solution", "tissue", "powder", "crystal"]


class ExternalId(Record):
    """A record of the same thing elsewhere."""

    scheme: Name
    """Which registry: ``PDB``, ``UniProt``, ``EMDB``, ``IGSN`` ..."""
    id: Name
    """Its identifier there."""


class Sample(VersionedRecord):
    """A sample."""

    format: Literal["hsc.sample/1"] = "hsc.sample/1"
    """Name and version of this wire form."""
    facility: Name
    """Short id of the facility that measured it."""
    proposal: Name | None = None
    """Number of the proposal that it belongs to; None: not known."""
    id: Name
    """What it is called at the facility; its name where it has no other identifier."""
    name: Name
    """Its name, as datasets have it."""
    igsn: Name | None = None
    """Its International Generic Sample Number."""
    description: Text | None = None
    """What it is."""
    formula: Name | None = None
    """Chemical formula, as NeXus writes them."""
    state: SampleState | None = None
    """How it was."""
    concentration: Quantity | None = None
    """How much of it was in its solution."""
    geometry: Name | None = None
    """Its shape or holder."""
    owner: Person | None = None
    """Whose it is."""
    safety: Text | None = None
    """What is dangerous about it."""
    parent: Name | None = None
    """Key of the sample that it was taken from."""
    external: tuple[ExternalId, ...] = Field(default=(), max_length=LISTED)
    """The same thing in registries."""
    quantities: dict[Name, Quantity] = Field(default_factory=dict, max_length=LISTED)
    """Its temperature, thickness, mass ..."""
    custom: JsonObject = Field(default_factory=dict)
    """What is said of it beyond this, as given."""

    @property
    def key(self) -> str:
        """What it is found by: ``<facility>/<proposal>/<id>``; ``-`` for an unknown proposal."""
        return f"{self.facility}/{self.proposal or '-'}/{self.id}"
