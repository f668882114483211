"""Instrument: a beamline, a microscope, a spectrometer; what a facility measures with."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hsc.model.limits import LISTED, JsonObject, Name, SortedNames, Text
from hsc.model.technique import Iri, Technique
from hsc.model.wire import UtcTime, VersionedRecord

InstrumentKind = Literal[
    "beamline", "endstation", "detector", "microscope", "spectrometer", "mass_spectrometer", "mr"
]


class Instrument(VersionedRecord):
    """An instrument of a facility."""

    format: Literal["hsc.instrument/1"] = "hsc.instrument/1"
    """Name and version of this wire form."""
    facility: Name
    """The facility's short id, as in ``maxiv``."""
    name: Name
    """Its short name at the facility, as datasets have it: ``CoSAXS``."""
    title: Text | None = None
    """Its full name, where that is another."""
    pid: Name | None = None
    """Its persistent identifier (PIDINST); None: it has none."""
    kind: InstrumentKind = "beamline"
    """What sort of instrument it is."""
    parent: Name | None = None
    """Short name of the instrument that it is a part of."""
    techniques: tuple[Technique, ...] = Field(default=(), max_length=LISTED)
    """What is measured with it."""
    aliases: SortedNames = Field(default=(), max_length=LISTED)
    """Other names that files give it."""
    valid_from: UtcTime | None = None
    """Since when it is as described; None: not known."""
    valid_to: UtcTime | None = None
    """Until when; None: still."""
    config_digest: Name | None = None
    """Digest of its configuration (``blake3:...``)."""
    page: Iri | None = None
    """Its page on the web."""
    custom: JsonObject = Field(default_factory=dict)
    """What the facility says of it beyond this, as given."""

    @property
    def key(self) -> str:
        """What it is found by: ``<facility>/<name>``."""
        return f"{self.facility}/{self.name}"
