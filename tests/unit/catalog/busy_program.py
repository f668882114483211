"""A program of many threads that register and read at once, and says each PID once it is kept.

To run beside others and to kill. Arguments: the catalog's URL, how many writers, how many readers.
It says "ready" when the catalog is open, begins when it gets a line, and goes on until it is ended.
Whatever a reader finds that can't be ends it with a message on stderr.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback
from collections.abc import Callable

from hsc.client import Catalog, connect
from hsc.model import Query
from hsc.testing.contracts import example_activity, example_dataset, generated

_printing = threading.Lock()


def write(catalog: Catalog) -> None:
    dataset, activity = example_dataset(), example_activity()
    catalog.register(dataset, activity, generated(dataset, activity, ["blake3:cc"]))
    with _printing:
        sys.stdout.write(f"{dataset.pid}\n")
        sys.stdout.flush()


def read(catalog: Catalog) -> None:
    found = catalog.search(Query(limit=3))
    assert len(found.datasets) == min(found.total, 3)
    for dataset in found.datasets:
        assert catalog.get(dataset.pid) == dataset
        walked = catalog.lineage(dataset.pid, up=True, down=False, depth=1)
        assert len(walked.nodes) == 4, walked
    assert catalog.facets().total >= found.total


def forever(step: Callable[[Catalog], None], catalog: Catalog) -> None:
    try:
        while True:
            step(catalog)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


if __name__ == "__main__":
    url, writers, readers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with connect(url) as catalog:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        steps = [write] * writers + [read] * readers
        threads = [threading.Thread(target=forever, args=(step, catalog)) for step in steps]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
