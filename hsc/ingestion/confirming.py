"""Confirming that a source is the one a committed version was made of, byte for byte."""

from __future__ import annotations

from dataclasses import replace

from hsc.errors import VerificationError
from hsc.ingestion.assets import same_assets
from hsc.ingestion.plan import Plan
from hsc.ingestion.planned import PlannedArray
from hsc.ingestion.shards import digest_shard
from hsc.ingestion.tasks import ShardTask, shard_tasks
from hsc.ingestion.verify import verify_written
from hsc.store import DATA, CheckedVersion, open_version
from hsc.workers import Progress, Workers


def committed_alike(
    plan: Plan, store: str, location: str, *, workers: Workers, progress: Progress
) -> bool:
    """Tell whether a committed version holds what a plan would write; write nothing.

    Shards whose chunks travel undecoded are made again in memory and their digests compared. Where
    that differs, and where chunks are encoded anew (another version of a codec may give other
    bytes of the same pixels), both sides are decoded and compared bit by bit.
    """
    url = f"{store.rstrip('/')}/{location}"
    version = open_version(url)
    if not (_same_objects(plan, version) and same_assets(plan.assets, version.manifest.entries)):
        return False
    kept = replace(plan, arrays=tuple(each for each in plan.arrays if _undecoded(each)))
    tasks = [t for t in shard_tasks(kept, store, location, resumed=False) if len(t.numbers)]
    weights = [task.nbytes for task in tasks]
    progress.start("confirm", sum(weights), "bytes")
    digests = workers.map(_digest, tasks, progress=progress, weights=weights)
    progress.finish()
    committed = {entry.key: entry.digest for entry in version.manifest.entries}
    other = {
        task.look.path
        for task, digest in zip(tasks, digests, strict=True)
        if committed[task.key] != digest
    }
    doubtful = replace(
        plan,
        arrays=tuple(p for p in plan.arrays if not _undecoded(p) or p.spec.path in other),
    )
    entries = version.manifest.entries
    try:
        verify_written(doubtful, url, entries, how="full", workers=workers, progress=progress)
    except VerificationError:
        return False
    return True


def _undecoded(planned: PlannedArray) -> bool:
    return planned.columns is not None and planned.travel.row is not None


def _digest(task: ShardTask) -> bytes:
    return digest_shard(task).digest


def _same_objects(plan: Plan, version: CheckedVersion) -> bool:
    keys = (f"{DATA}/{key}" for planned in plan.arrays for _, key in planned.spec.objects())
    return all(version.entry(key) is not None for key in keys)
