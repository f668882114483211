"""A state directory for a benchmark's ingests, whatever the environment says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def state_directory(folder: Path, **variables: str) -> Iterator[None]:
    """Let hsc work in a folder for as long as the block runs.

    Parameters
    ----------
    folder
        Becomes ``HSC_HOME``.
    **variables
        Further variables of hsc, as in ``HSC_STORE="s3://bucket"``.
    """
    kept = {name: value for name, value in os.environ.items() if name.startswith("HSC_")}
    ours = {"HSC_HOME": str(folder), **variables}
    for name in kept:
        del os.environ[name]
    os.environ.update(ours)
    try:
        yield
    finally:
        for name in ours:
            del os.environ[name]
        os.environ.update(kept)
