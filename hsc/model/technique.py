"""Technique: how was measured, as a term of PaNET."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from hsc.model.limits import Name
from hsc.model.wire import Record

Iri = Annotated[str, StringConstraints(pattern=r"^https?://[^\s<>\"{}|\\^`]{1,1000}$")]
"""An address of a term or page."""


class Technique(Record):
    """A technique: the term and the name that people use."""

    iri: Iri | None = None
    """The term, as in ``http://purl.org/pan-science/PaNET/PaNET01188``; None: no term is known."""
    name: Name
    """Its usual name, as in ``SAXS``."""
