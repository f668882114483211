"""Writing a plan: shards on workers, then metadata, then the manifest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hsc.errors import SourceChangedError, SourceError
from hsc.ingestion.assets import write_assets
from hsc.ingestion.failures import refuse_failures
from hsc.ingestion.plan import Plan
from hsc.ingestion.preview import preview_keys
from hsc.ingestion.shards import build_shard, make_shard, shard_tasks
from hsc.model import Gap, plain_text
from hsc.store import (
    DATA,
    Manifest,
    ObjectEntry,
    VersionWriter,
    metadata_objects,
    open_objects,
)
from hsc.workers import Progress, Workers


@dataclass(frozen=True, slots=True)
class Written:
    """What writing a plan made."""

    entries: tuple[ObjectEntry, ...]
    """All objects, metadata included."""
    gaps: tuple[Gap, ...]
    """Chunks that could not be carried over."""


def write_plan(
    plan: Plan,
    store: str,
    location: str,
    *,
    workers: Workers,
    progress: Progress,
    resumed: bool,
    policy: str = "strict",
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
        ``quarantine`` makes gaps of them.

    Raises
    ------
    SourceChangedError
        A file changed while it was read.
    DamagedSourceError
        Chunks can't be carried over, and the policy is strict.
    SourceError, StoreError
        A file can't be read any more, or an object can't be written.
    """
    documents = _metadata(plan)
    tasks = shard_tasks(plan, store, location, resumed=resumed)
    written = [task for task in tasks if len(task.numbers)]
    # A shard of empty chunks is no object: its entry is made here, without a worker.
    made = [build_shard(task).made for task in tasks if not len(task.numbers)]
    writer = VersionWriter(open_objects(store), location)
    shards = [*(task.key for task in written), *(asset.key for asset in plan.assets)]
    writer.begin(shards, [*documents, *preview_keys(plan.arrays)])
    weights = [task.nbytes for task in written]
    progress.start("write", sum(weights), "bytes")
    try:
        made += workers.map(make_shard, written, progress=progress, weights=weights)
        progress.finish()
        files = write_assets(
            plan.assets, store, location, workers=workers, progress=progress, resumed=resumed
        )
    except SourceError:
        check_unchanged(plan)  # a file that changed looks damaged: say which it was
        raise
    check_unchanged(plan)
    failures = [failure for each in made for failure in each.failures]
    if policy == "strict":
        refuse_failures(failures)
    entries = [*(each.entry for each in made), *files]
    entries += writer.put_metadata(documents)
    return Written(tuple(entries), tuple(failure.gap() for failure in failures))


def _metadata(plan: Plan) -> dict[str, bytes]:
    made = metadata_objects(plan.groups, [planned.spec for planned in plan.arrays])
    return {f"{DATA}/{key}": data for key, data in made.items()}


def commit_plan(
    plan: Plan,
    store: str,
    location: str,
    entries: Sequence[ObjectEntry],
    gaps: Sequence[Gap] = (),
    explain: Callable[[Manifest], bytes] | None = None,
) -> Manifest:
    """Commit what was written, and which chunks are gaps: from here on there is a version.

    Parameters
    ----------
    explain
        Gives the version's crate; None: it gets none.
    """
    return VersionWriter(open_objects(store), location).commit(
        entries,
        source_id=plan.source_id,
        files=[plain_text(file.name) for file in plan.run.sources],
        gaps=(*plan.gaps, *gaps),
        explain=explain,
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
