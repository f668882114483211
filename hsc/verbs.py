"""The verbs of the package ``hsc`` as Python functions, with plain arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hsc.client import Bounds, connect, make_query
from hsc.errors import HscError
from hsc.jobs import (
    IngestedDataset,
    IngestRequest,
    Policy,
    ReducedDataset,
    ReduceRequest,
    Verify,
)
from hsc.model import Pid, SearchResult

if TYPE_CHECKING:
    import xarray as xr


def open(
    pid: str | Pid,
    *,
    gaps: Literal["raise", "mask", "fill"] = "raise",
    scaled: bool = True,
) -> xr.DataTree:
    """Open a dataset as a tree of lazy arrays.

    Parameters
    ----------
    pid
        The dataset's PID; ``@n`` names version n, else it is the newest. Or the path or URL of
        a folder that `hsc fetch` filled: no catalog is asked then.
    gaps
        What a part reads as that could not be carried over from its source: ``raise`` for a
        `GapError`, ``fill`` for the fill value, ``mask`` for the fill value with a boolean
        variable ``<name>_gap`` beside each array that has gaps.
    scaled
        Whether fields with a scale factor or an offset by NeXus's rules (``I_scaling_factor``)
        are given in physical numbers, float64; else all are as they are stored.

    Returns
    -------
    tree
        A node for each group; arrays are dask arrays in blocks of at most 128 MB that never cross
        a shard, checked when they are read. What is beyond xarray hangs on ``tree.hsc``.

    Raises
    ------
    InvalidPidError, DatasetNotFoundError
        No such dataset.
    ArchivedError
        All that is left of it lies in an archive.
    ManifestError
        The version's manifest is gone or damaged, in all replicas.
    """
    # Reading brings xarray, which takes a second to import.
    from hsc.jobs import locate_named
    from hsc.reading import open_dataset, open_tree

    located = locate_named(pid)
    return open_tree(open_dataset(located.record, located.others), gaps=gaps, scaled=scaled)


def search(
    text: str = "",
    *,
    where: Bounds = (),
    facility: str | None = None,
    instrument: str | None = None,
    proposal: str | None = None,
    sample: str | None = None,
    technique: str | None = None,
    keyword: str | None = None,
    kind: str | None = None,
    limit: int = 25,
    cursor: str | None = None,
) -> SearchResult:
    """Find datasets, newest first.

    Parameters
    ----------
    text
        Words that must all occur.
    where
        One bound or several, as in ``"photon_energy > 12 keV"``.
    facility, instrument, proposal, sample, technique, keyword, kind
        Only these.
    limit
        At most this many; ``total`` counts all.
    cursor
        Goes on behind an answer: its ``next``.

    Raises
    ------
    InvalidQueryError
        A bound can't be read.
    """
    facets = {
        "facility": facility,
        "instrument": instrument,
        "proposal": proposal,
        "sample": sample,
        "technique": technique,
        "keyword": keyword,
        "kind": kind,
    }
    query = make_query(text, where, limit, cursor, facets)
    with connect(create=False) as catalog:
        return catalog.search(query)


def ingest(
    path: str | Path,
    *,
    facility: str | None = None,
    proposal: str | None = None,
    sample: str | None = None,
    layout: str | None = None,
    policy: Policy = "strict",
    verify: Verify = "sample",
    preview: bool = False,
    workers: int | None = None,
    isolate: bool = False,
    max_rate: int | None = None,
    memory: int | None = None,
) -> IngestedDataset:
    """Take a file or run in; it becomes one dataset.

    Parameters
    ----------
    path
        An HDF5 file, or the master file of a run.
    facility, proposal, sample
        What the files do not say, or say wrongly.
    layout
        Name of the layout; None: found out.
    policy
        ``strict`` stops at what can't be carried over, ``quarantine`` records it as a gap.
    verify
        How much is read back and compared: ``none``, ``sample`` or ``full``.
    preview
        Whether to make previews of image stacks, as ``full`` does.
    workers
        Threads or processes at work; None: as many as there are processors.
    isolate, max_rate, memory
        Bounds: HDF5 in a child process only, bytes a second, bytes of shards in the making.

    Raises
    ------
    SourceError, StoreError, CatalogError
        What went wrong, as an error of its own kind.
    """
    # Ingesting brings HDF5, which a researcher's installation comes without.
    from hsc.jobs import ingest_one

    return ingest_one(
        IngestRequest(
            paths=(str(Path(path).absolute()),),
            facility=facility,
            proposal=proposal,
            sample=sample,
            layout=layout,
            policy=policy,
            verify=verify,
            preview=preview,
            workers=workers,
            isolate=isolate,
            max_rate=max_rate,
            memory=memory,
        )
    )


def reduce(
    name: str,
    pid: str | Pid | None = None,
    *,
    parameters: Mapping[str, Any] | None = None,
    workers: int | None = None,
    **roles: str | Pid | Sequence[str | Pid],
) -> ReducedDataset:
    """Run a reduction; what comes of it is a dataset that knows what it came from.

    Parameters
    ----------
    name
        Name of the reduction.
    pid
        Its only input, when it has one.
    parameters
        What differs from what the datasets and the defaults say.
    workers
        Threads or processes at work; None: as many as there are processors.
    **roles
        Its inputs by role, as in ``sample=pid, buffer=other``; several as a list.

    Raises
    ------
    ReductionError, DatasetNotFoundError, DamageError
        What went wrong, as an error of its own kind.
    """
    # Reducing brings numba, which a researcher's installation comes without.
    from hsc.jobs import reduce as run

    inputs = [("", Pid.parse(pid))] if pid is not None else []
    for role, given in roles.items():
        several = [given] if isinstance(given, str | Pid) else given
        inputs += [(role, Pid.parse(each)) for each in several]
    if not inputs:
        raise HscError(
            "no dataset was given", next_step="hsc.reduce(name, pid) or hsc.reduce(name, role=pid)"
        )
    return run(
        ReduceRequest(
            name=name, inputs=tuple(inputs), parameters=dict(parameters or {}), workers=workers
        )
    )
