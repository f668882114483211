"""Order: one path on its way in, as all steps of its ingest know it."""

from __future__ import annotations

from dataclasses import dataclass

from hsc.client import Catalog
from hsc.jobs.requests import IngestRequest
from hsc.jobs.stages import Stage
from hsc.model import Facility
from hsc.provenance import RunningActivity
from hsc.workers import Progress


@dataclass(frozen=True, slots=True)
class Order:
    """One path on its way in: what was asked of it, and who hears how it goes."""

    request: IngestRequest
    """What was asked."""
    facility: Facility
    """Whose data they are."""
    store: str
    """URL of the store they go to."""
    catalog: Catalog
    """Where they are registered."""
    activity: RunningActivity
    """The activity that takes them in."""
    stage: Stage
    """What runs each step."""
    progress: Progress
    """Hears how far it is."""
