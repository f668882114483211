"""The last steps of an ingest: commit, tell the catalog, or give up; and finding it done before."""

from __future__ import annotations

from hsc.errors import DamageError, DatasetNotFoundError, IngestInProgressError, StoreError
from hsc.ingestion import Plan, Written, commit_plan, committed_alike, files_state, wholly_hashed
from hsc.jobs.describing import described_sample, raw_record, without_people
from hsc.jobs.keeping import keep_nouns
from hsc.jobs.orders import Order
from hsc.jobs.placing import Target
from hsc.jobs.rebuilding import tell_version
from hsc.jobs.working import named_workers
from hsc.model import Dataset
from hsc.provenance import write_crate
from hsc.store import (
    CRATE_KEY,
    MANIFEST_KEY,
    Manifest,
    VersionWriter,
    abandon_version,
    drop_claims,
    give_up,
    open_objects,
    open_version,
    read_claim,
)


def register(order: Order, plan: Plan, target: Target, written: Written) -> Dataset:
    """Commit the version in the store, then tell the catalog.

    Whether the claim is still held is asked before the manifest is written and after. Who takes
    over looks for a manifest after its own claim is there. So of two at least one sees the other,
    and no catalog is told of a version that somebody was removing.

    Raises
    ------
    IngestInProgressError
        Somebody else took over meanwhile. What is whole stays, and the next ingest finds it.
    """

    def explain(manifest: Manifest) -> bytes:
        dataset = raw_record(plan, target, manifest, order.request, order.facility)
        version = dataset.pid.at(dataset.version)
        order.activity.note(
            generated=(version,), output_roots=(dataset.root,), bytes_out=dataset.bytes_out
        )
        crate = without_people(dataset)
        return write_crate(crate, order.activity.as_done(), order.activity.edges(version))

    def confirm() -> None:
        try:
            _check_held(order, target)
        except IngestInProgressError:
            _take_back_damaged(target)
            raise

    _check_held(order, target)
    commit_plan(
        plan,
        target.store,
        target.location,
        written.entries,
        written.gaps,
        explain,
        confirm,
        resumed=target.resumed,
    )
    return _tell(order, plan, target)


def known(order: Order, plan: Plan, target: Target) -> Dataset:
    """Give the dataset that was made of the same source before; write nothing.

    Raises
    ------
    DamageError
        Objects of it are gone from the store, or have another size.
    """
    open_version(target.url).check_present()
    # Nobody wrote to the files since they were ingested: then no byte need be read again.
    untouched = target.claim.files_state == files_state(plan.run)
    if not untouched and not wholly_hashed(plan.run.sources):
        _confirm_same(order, plan, target)
    try:
        dataset = order.catalog.get(target.pid.at(target.version))
    except DatasetNotFoundError:
        # Committed, and its maker died or this catalog was never told.
        return _tell(order, plan, target)
    order.catalog.record(order.activity.done())
    return dataset


def _tell(order: Order, plan: Plan, target: Target) -> Dataset:
    """Tell the catalog of the version, with what its facts say of nouns and of people."""
    facts = plan.run.facts

    def beside(dataset: Dataset) -> Dataset:
        keep_nouns(order.catalog, dataset, described_sample(dataset, facts))
        return dataset.model_copy(update={"people": facts.people})

    return tell_version(order.catalog, target.url, order.activity, beside)


def abandon(order: Order, target: Target, cause: Exception) -> None:
    """Give a failed ingest up and remove what it wrote, unless somebody else goes on with it."""
    objects, attempt = open_objects(target.store), order.activity.id
    try:
        if VersionWriter(objects, target.location).committed():
            return
        names = (target.claim.source_id, target.claim.slot)
        held = [read_claim(objects, name) for name in names if name]
        if any(claim is None or claim.attempt != attempt for claim in held):
            return
        # Everyone must know that nothing counts before the first object goes.
        given_up = [give_up(objects, claim, attempt) for claim in held if claim]
        if all(given_up) and abandon_version(objects, target.location):
            for last in filter(None, given_up):
                drop_claims(objects, last, attempt)
    except (StoreError, OSError) as error:
        # The first error is the one to tell; that the rest could not be cleared belongs to it.
        cause.add_note(f"what was written could not be removed: {error}")


def _take_back_damaged(target: Target) -> None:
    """Remove a manifest that came when somebody had begun to remove what it lists."""
    try:
        version = open_version(target.url)
        version.check_present()
        version.read(CRATE_KEY)
    except DamageError:
        open_objects(target.store).delete(f"{target.location}/{MANIFEST_KEY}")


def _check_held(order: Order, target: Target) -> None:
    objects = open_objects(target.store)
    for name in filter(None, (target.claim.source_id, target.claim.slot)):
        last = read_claim(objects, name)
        if last is None or (last.attempt, last.state) != (order.activity.id, "open"):
            who = "somebody" if last is None else f"process {last.process} on {last.host}"
            raise IngestInProgressError(
                f"{who} took over {target.pid} while it was being written",
                where=target.url,
                next_step="ingest it again: it waits for the other and then finds what that one "
                "made",
            )


def _confirm_same(order: Order, plan: Plan, target: Target) -> None:
    """Make sure that a source too large to be hashed whole is the one that was ingested.

    Raises
    ------
    StoreError
        It is another source with the same names, sizes, structure and samples.
    """
    with named_workers(order.request.workers) as workers:
        same = committed_alike(
            plan, target.store, target.location, workers=workers, progress=order.progress
        )
    if not same:
        raise StoreError(
            f"the source looks like that of {target.pid}, but some of its bytes differ",
            where=str(plan.run.path),
            next_step="find out which of the two is right; rename the run's files to take it in "
            "as a dataset of its own",
        )
