"""Where work runs: threads, a local cluster, any Dask scheduler behind one map over shards."""

from hsc.workers.bounds import Bounds
from hsc.workers.children import Child, Limits, end_children, ending_children
from hsc.workers.cluster import ClusterWorkers
from hsc.workers.isolation import Isolated, Isolation, isolated
from hsc.workers.pool import ThreadWorkers, Workers, available_cpus, open_workers
from hsc.workers.progress import Progress, Silent
from hsc.workers.rate import Pace, TokenBucket
from hsc.workers.sharing import share_parts
from hsc.workers.stopping import left_running
from hsc.workers.turns import at_work

__all__ = [
    "Bounds",
    "Child",
    "ClusterWorkers",
    "Isolated",
    "Isolation",
    "Limits",
    "Pace",
    "Progress",
    "Silent",
    "ThreadWorkers",
    "TokenBucket",
    "Workers",
    "at_work",
    "available_cpus",
    "end_children",
    "ending_children",
    "isolated",
    "left_running",
    "open_workers",
    "share_parts",
]
