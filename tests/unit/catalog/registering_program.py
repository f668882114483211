"""A program that registers datasets one after another and says each PID once it is kept.

A real process, to run beside others and to kill. Arguments: the catalog's URL, how many datasets.
It says "ready" when it has loaded, and begins when it gets a line.
"""

from __future__ import annotations

import sys

from hsc.client import connect
from hsc.testing.contracts import example_activity, example_dataset, generated

if __name__ == "__main__":
    url, count = sys.argv[1], int(sys.argv[2])
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    with connect(url) as catalog:
        for _ in range(count):
            dataset, activity = example_dataset(), example_activity()
            catalog.register(dataset, activity, generated(dataset, activity, ["blake3:cc"]))
            sys.stdout.write(f"{dataset.pid}\n")
            sys.stdout.flush()
