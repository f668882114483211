"""Where work runs: threads, a local cluster, any Dask scheduler behind one map over shards."""

from hsc.workers.children import Child, Limits, end_children, ending_children
from hsc.workers.isolation import Isolated, Isolation, isolated
from hsc.workers.pool import ClusterWorkers, ThreadWorkers, Workers, available_cpus, open_workers
from hsc.workers.progress import Progress, Silent

__all__ = [
    "Child",
    "ClusterWorkers",
    "Isolated",
    "Isolation",
    "Limits",
    "Progress",
    "Silent",
    "ThreadWorkers",
    "Workers",
    "available_cpus",
    "end_children",
    "ending_children",
    "isolated",
    "open_workers",
]
