"""Writing a plan: shards on workers, then metadata, then the manifest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from hsc.errors import SourceChangedError, SourceError
from hsc.ingestion.assets import MadeAsset, write_assets
from hsc.ingestion.batches import (
    MadeObjects,
    PackTask,
    Work,
    batched,
    make_objects,
    write_tree_metadata,
    written_keys,
)
from hsc.ingestion.crashes import Tolerance
from hsc.ingestion.failures import refuse_failures
from hsc.ingestion.known import NO_MAKINGS, Earlier, read_earlier
from hsc.ingestion.makings import asset_known, shard_known
from hsc.ingestion.packing import plan_documents, plan_packing
from hsc.ingestion.plan import Plan
from hsc.ingestion.preview import preview_keys
from hsc.ingestion.shards import build_shard
from hsc.ingestion.tasks import ShardTask, shard_tasks
from hsc.model import Gap, plain_text
from hsc.store import Manifest, ObjectEntry, VersionWriter, open_objects, pack_key
from hsc.workers import Progress, Workers


@dataclass(frozen=True, slots=True)
class Written:
    """What writing a plan made."""

    entries: tuple[ObjectEntry, ...]
    """All objects, metadata included."""
    gaps: tuple[Gap, ...]
    """Chunks that could not be carried over."""
    copied: int = 0
    """How many objects were copied from the version before, inside the store."""


def write_plan(
    plan: Plan,
    store: str,
    location: str,
    *,
    workers: Workers,
    progress: Progress,
    resumed: bool,
    policy: str = "strict",
    before: str = "",
) -> Written:
    """Write all shards and all metadata of a plan.

    Parameters
    ----------
    store, location
        URL of the store, and the version's folder below it.
    resumed
        Whether an earlier attempt may have written some shards.
    policy
        ``strict`` refuses chunks that can't be carried over, all at once, after the last shard;
        ``quarantine`` makes gaps of them, and of up to `MOST_CRASHES` that crash HDF5's own process
        or take too much memory or time.
    before
        Folder of the version before, whose unchanged objects are copied; empty: there is none.

    Raises
    ------
    SourceChangedError
        A file changed while it was read.
    DamagedSourceError
        Chunks can't be carried over, and the policy is strict.
    SourceError, StoreError
        A file can't be read any more, or an object can't be written.
    """
    documents = plan_documents(plan)
    packing = plan_packing(plan, documents)
    bears = None if policy == "strict" else Tolerance()
    tasks = shard_tasks(plan, store, location, resumed=resumed, tolerance=bears)
    written = [task for task in tasks if len(task.numbers)]
    work = batched(packing, written, plan.assets, store=store, location=location, resumed=resumed)
    writer = VersionWriter(open_objects(store), location)
    shards, others = written_keys(packing, documents, work)
    # Previews may want the pack after the last.
    shards.append(pack_key(packing.count if packing else 0))
    writer.begin(shards, [*others, *preview_keys(plan.arrays)])
    work = _with_known(work, plan.marks, read_earlier(store, before))
    made, files = _all_made(plan, work, workers, progress)
    failures = [failure for each in made for failure in each.failures]
    if policy == "strict":
        refuse_failures(failures)
    # A shard of empty chunks is no object: its entry is made here, without a worker.
    entries = [build_shard(task).made.entry for task in tasks if not len(task.numbers)]
    entries += _made_entries(plan, made, files)
    entries += write_tree_metadata(writer, packing, documents, entries)
    copied = sum(each.copied for each in made) + sum(each.copied for each in files)
    return Written(tuple(entries), tuple(failure.gap() for failure in failures), copied)


def _all_made(
    plan: Plan, work: Work, workers: Workers, progress: Progress
) -> tuple[list[MadeObjects], list[MadeAsset]]:
    """Make and write all but metadata, of files that nobody changes meanwhile."""
    try:
        made = _made(work.tasks, workers, progress)
        files = write_assets(work.assets, workers=workers, progress=progress)
    except SourceError:
        check_unchanged(plan)  # a file that changed looks damaged: say which it was
        raise
    check_unchanged(plan)
    return made, files


def _made_entries(
    plan: Plan, made: Sequence[MadeObjects], files: Sequence[MadeAsset]
) -> list[ObjectEntry]:
    entries = [entry for each in made for entry in each.entries]
    entries += [each.entry for each in files]
    if any(file.state.touched() for file in plan.run.sources):
        # A time that was set back may hide that somebody wrote while it was read.
        return [replace(entry, makings=NO_MAKINGS) for entry in entries]
    return entries


def _with_known(work: Work, marks: Sequence[bytes], earlier: Earlier) -> Work:
    """Give the work that knows what the version before has."""
    return Work(
        work.packs,
        [shard_known(task, marks, earlier) for task in work.shards],
        [asset_known(task, marks, earlier) for task in work.assets],
    )


def _made(
    tasks: Sequence[PackTask | ShardTask], workers: Workers, progress: Progress
) -> list[MadeObjects]:
    """Make and write all packs and shards."""
    weights = [task.nbytes for task in tasks]
    needs = [task.memory_nbytes for task in tasks]
    progress.start("write", sum(weights), "bytes")
    # A folder takes an object while it is made; to anything else it goes when it is whole.
    waiting = any(not task.store.startswith("file:") for task in tasks)
    made = workers.map(
        make_objects, tasks, progress=progress, weights=weights, needs=needs, waiting=waiting
    )
    progress.finish()
    return made


def commit_plan(
    plan: Plan,
    store: str,
    location: str,
    entries: Sequence[ObjectEntry],
    gaps: Sequence[Gap] = (),
    explain: Callable[[Manifest], bytes] | None = None,
    confirm: Callable[[], None] | None = None,
    *,
    resumed: bool = False,
) -> Manifest:
    """Commit what was written, and which chunks are gaps: from here on there is a version.

    Parameters
    ----------
    explain
        Gives the version's crate; None: it gets none.
    confirm
        Called when the manifest is there: it raises when somebody else took over meanwhile.
    resumed
        Whether an earlier attempt may have written more than this one was asked for.
    """
    return VersionWriter(open_objects(store), location).commit(
        entries,
        source_id=plan.source_id,
        files=[plain_text(file.name) for file in plan.run.sources],
        gaps=(*plan.gaps, *gaps),
        explain=explain,
        confirm=confirm,
        resumed=resumed,
    )


def check_unchanged(plan: Plan) -> None:
    """Refuse a run whose files changed since the plan was made.

    Raises
    ------
    SourceChangedError
        Naming the files.
    """
    changed = [file.name for file in plan.run.sources if file.state.changed()]
    if changed:
        raise SourceChangedError(
            f"the source changed while it was read: {', '.join(changed[:10])}",
            where=str(plan.run.folder or plan.run.path.parent),
            next_step="wait until nothing writes to it any more, then ingest again",
        )
