"""Annotation: what somebody says of a dataset without changing its record."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from hsc.model.limits import Name, Text
from hsc.model.technique import Iri
from hsc.model.wire import UtcTime, VersionedRecord, now


class Annotation(VersionedRecord):
    """A note, a verdict or a link."""

    format: Literal["hsc.annotation/1"] = "hsc.annotation/1"
    """Name and version of this wire form."""
    kind: Literal["note", "verdict", "link"]
    """Which of the three."""
    text: Text = ""
    """The note; for verdict and link a word on it, or nothing."""
    verdict: Literal["good", "bad"] | None = None
    """The verdict."""
    link: Iri | None = None
    """Address of the logbook's page, or of another."""
    at: UtcTime = Field(default_factory=now)
    """When it was said; a catalog's server says so itself."""
    by: Name | None = None
    """Subject who said it; a catalog's server says so itself."""

    @model_validator(mode="after")
    def _complete(self) -> Annotation:
        wanted = {"note": self.text, "verdict": self.verdict, "link": self.link}
        if not wanted[self.kind]:
            name = "text" if self.kind == "note" else self.kind
            raise ValueError(f"a {self.kind} needs its {name}")
        if self.verdict is not None and self.kind != "verdict":
            raise ValueError(f"a {self.kind} has no verdict")
        if self.link is not None and self.kind != "link":
            raise ValueError(f"a {self.kind} has no link")
        return self
