"""Where work runs: threads, a local cluster, any Dask scheduler behind one map over shards."""

from hsc.workers.pool import ClusterWorkers, ThreadWorkers, Workers, available_cpus, open_workers
from hsc.workers.progress import Progress, Silent

__all__ = [
    "ClusterWorkers",
    "Progress",
    "Silent",
    "ThreadWorkers",
    "Workers",
    "available_cpus",
    "open_workers",
]
