"""Permission: whether the catalog would take what a job is about to make, asked before it does."""

from __future__ import annotations

from collections.abc import Sequence

from hsc.client import Catalog
from hsc.ingestion import Plan
from hsc.jobs.orders import Order
from hsc.jobs.placing import Target
from hsc.jobs.slots import is_committed
from hsc.model import Dataset, Draft
from hsc.store import open_objects, read_claim


def check_ingest(order: Order, plan: Plan) -> None:
    """Refuse what could not be registered, before a byte of it is written.

    What was ingested before is written no more, whoever asks for it again.

    Raises
    ------
    ForbiddenError
        The caller may not register what the files are.
    """
    objects = open_objects(order.store)
    last = read_claim(objects, plan.source_id)
    if last is None or not is_committed(objects, last):
        order.catalog.may_register(ingest_draft(order, plan))


def check_version(order: Order, plan: Plan, target: Target) -> None:
    """Refuse a further version of a dataset that the caller may not add to.

    Raises
    ------
    ForbiddenError, ConflictError
        The dataset is somebody else's.
    """
    if target.version > 1:
        version = {"pid": target.pid.at(target.version)}
        order.catalog.may_register(ingest_draft(order, plan).model_copy(update=version))


def ingest_draft(order: Order, plan: Plan) -> Draft:
    """Give what is known of a dataset once its files were read."""
    facts = plan.run.facts
    return Draft(
        facility=order.facility.id,
        instrument=order.facility.instrument(facts.instrument),
        proposal=order.request.proposal or facts.proposal,
    )


def check_reduction(catalog: Catalog, first: Dataset, used: Sequence[str]) -> None:
    """Refuse a reduction whose result could not be registered, before it runs.

    Parameters
    ----------
    catalog
        Where it will be registered.
    first
        The input that it is about: facility, instrument and proposal are its.
    used
        PIDs with version of all inputs.

    Raises
    ------
    ForbiddenError
        The caller may not register what comes of it.
    """
    catalog.may_register(
        Draft(
            facility=first.facility,
            instrument=first.instrument,
            proposal=first.proposal,
            used=tuple(used),
        )
    )
