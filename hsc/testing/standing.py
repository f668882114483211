"""How a fake catalog lets things stand: who may see what is new, and what failed."""

from __future__ import annotations

from hsc.model import Access, Activity, ActivityState, Dataset


def first_access(dataset: Dataset) -> Access:
    """Say who may see a new dataset."""
    if dataset.visibility == "public":
        return Access(visibility="public")
    if dataset.proposal is None:
        return Access(flagged="no proposal is known")
    return Access(visibility="group")


def concerns(activity: Activity, keys: frozenset[str]) -> bool:
    """Tell whether an activity that is not done says that it is of somebody's with these keys."""
    instrument = f"{activity.facility}/{activity.instrument}"
    proposal = f"{activity.facility}/{activity.proposal}"
    names = {f"staff:{instrument}", f"lead:{proposal}", proposal}
    return activity.state is not ActivityState.DONE and bool(names & keys)
