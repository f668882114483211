"""The nouns that a catalog keeps beside datasets, each under its key."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from hsc.model.facility import Facility
from hsc.model.instrument import Instrument
from hsc.model.proposal import Proposal
from hsc.model.publication import Publication
from hsc.model.sample import Sample

Noun = Facility | Instrument | Proposal | Sample | Publication
"""What a catalog keeps beside datasets."""

NounKind = Literal["facility", "instrument", "proposal", "sample", "publication"]
"""The name of a noun's class, in small letters."""

NOUNS: Mapping[NounKind, type[Noun]] = MappingProxyType(
    {
        "facility": Facility,
        "instrument": Instrument,
        "proposal": Proposal,
        "sample": Sample,
        "publication": Publication,
    }
)
"""Each kind's class."""


def noun_kind(noun: Noun) -> NounKind:
    """Give the kind of a noun.

    Examples
    --------
    >>> noun_kind(Instrument(facility="maxiv", name="CoSAXS"))
    'instrument'
    """
    return next(kind for kind, made in NOUNS.items() if isinstance(noun, made))
