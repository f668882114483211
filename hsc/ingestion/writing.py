"""Writing a plan: shards on workers, then metadata, then the manifest."""

from __future__ import annotations

from collections.abc import Sequence

from hsc.errors import SourceChangedError, SourceError
from hsc.ingestion.plan import Plan
from hsc.ingestion.shards import build_shard, make_shard, shard_tasks
from hsc.model import plain_text
from hsc.store import (
    DATA,
    Manifest,
    ObjectEntry,
    VersionWriter,
    metadata_objects,
    open_objects,
)
from hsc.workers import Progress, Workers


def write_plan(
    plan: Plan,
    store: str,
    location: str,
    *,
    workers: Workers,
    progress: Progress,
    resumed: bool,
) -> list[ObjectEntry]:
    """Write all shards and all metadata of a plan.

    Parameters
    ----------
    plan
        What to write.
    store
        URL of the store.
    location
        Folder of the version below the store.
    resumed
        Whether an earlier attempt may have written some shards.

    Raises
    ------
    SourceChangedError
        A file changed while it was read.
    SourceError, StoreError
        A chunk can't be read or written.
    """
    tasks = shard_tasks(plan, store, location, resumed=resumed)
    written = [task for task in tasks if len(task.numbers)]
    # A shard of empty chunks is no object: its entry is made here, without a worker.
    entries = [build_shard(task)[0] for task in tasks if not len(task.numbers)]
    weights = [task.nbytes for task in written]
    progress.start("write", sum(weights), "bytes")
    try:
        entries += workers.map(make_shard, written, progress=progress, weights=weights)
    except SourceError:
        check_unchanged(plan)  # a file that changed looks damaged: say which it was
        raise
    progress.finish()
    check_unchanged(plan)
    documents = metadata_objects(plan.groups, [planned.spec for planned in plan.arrays])
    writer = VersionWriter(open_objects(store), location)
    entries += writer.put_metadata({f"{DATA}/{key}": data for key, data in documents.items()})
    return entries


def commit_plan(plan: Plan, store: str, location: str, entries: Sequence[ObjectEntry]) -> Manifest:
    """Commit what was written: from here on there is a version."""
    return VersionWriter(open_objects(store), location).commit(
        entries,
        source_id=plan.source_id,
        files=[plain_text(file.name) for file in plan.run.sources],
        gaps=plan.gaps,
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
