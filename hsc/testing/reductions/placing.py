"""Datasets put into a store as they are thought up, without a file that they came of."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc import settings
from hsc.ingestion import write_tree
from hsc.jobs import locate, open_catalog
from hsc.model import ArraySummary, Dataset, Kind, Pid, now
from hsc.provenance import recorded, write_crate
from hsc.reading import OpenedArray, open_dataset
from hsc.store import (
    Manifest,
    NewArray,
    NewGroup,
    NewTree,
    Stream,
    StreamedArray,
    holding,
    open_objects,
    place_attempt,
)


def keep_dataset(
    tree: NewTree,
    streams: tuple[Stream, ...] = (),
    *,
    title: str = "thought up",
    kind: Kind = Kind.RAW,
    instrument: str | None = None,
    **facts: Any,
) -> Pid:
    """Write a tree into the store that ``HSC_STORE`` names, and register it; give its PID.

    Parameters
    ----------
    tree, streams
        What stands in it; ``tree.roles`` is what reductions find it by.
    title, kind, instrument, facts
        Fields of its record.
    """
    pid, store = Pid.generate("hsc.local"), settings.store_url()
    location = f"local/thought-up/2026/{pid.ulid}/v1"

    with open_catalog() as catalog, recorded(catalog, "ingest", {"thought_up": title}) as activity:

        def record(manifest: Manifest, arrays: list[ArraySummary]) -> Dataset:
            return Dataset(
                **facts,
                pid=pid,
                kind=kind,
                title=title,
                facility="local",
                instrument=instrument,
                created=now(),
                root=manifest.root,
                layout="thought up",
                location=f"{store.rstrip('/')}/{location}",
                bytes_in=0,
                bytes_out=manifest.nbytes,
                arrays=tuple(sorted(arrays, key=lambda each: each.path)),
            )

        def explain(manifest: Manifest, arrays: list[ArraySummary]) -> bytes:
            activity.note(generated=(pid.at(1),))
            edges = activity.edges(pid.at(1))
            return write_crate(record(manifest, arrays), activity.as_done(), edges)

        with holding(activity.id):
            place_attempt(open_objects(store), "ingest", pid, 1, location, activity=activity.id)
            written = write_tree(tree, store, location, explain, streams=streams)
        made = record(written.manifest, written.arrays)
        catalog.register(made, activity.done(), activity.edges(pid.at(1)))
    return pid


def resharded(pid: Pid, rows: int) -> Pid:
    """Copy a dataset into one whose shards of images have so many rows; give its PID.

    Of lists there are five shards at most.
    Values, attributes, roles and record are the same; what was never written is the fill value.
    """
    with open_catalog() as catalog:
        located = locate(catalog, pid)
    record, opened = located.record, open_dataset(located.record, located.others)
    documents = opened.documents
    groups = [
        NewGroup(path, _told(document))
        for path, document in documents.items()
        if document["node_type"] == "group"
    ]
    arrays = [
        opened.array(path) for path, node in documents.items() if node["node_type"] == "array"
    ]
    kept = {"kind", "title", "instrument", "sample", "proposal", "technique", "quantities"}
    return keep_dataset(
        NewTree(tuple(groups), tuple(_whole(each) for each in arrays if not _long(each, rows))),
        tuple(_stream(each, rows) for each in arrays if _long(each, rows)),
        **{name: getattr(record, name) for name in kept},
    )


@dataclass(frozen=True, slots=True)
class _Copied:
    """Gives rows of an array as they are."""

    source: OpenedArray

    def __call__(self, start: int, stop: int) -> tuple[dict[str, NDArray[Any]], None]:
        return {self.source.path: self.source.read(start, stop)}, None


def _long(array: OpenedArray, rows: int) -> bool:
    return bool(array.shape) and array.shape[0] > rows and array.dtype != np.dtype(object)


def _stream(array: OpenedArray, rows: int) -> Stream:
    images = len(array.shape) >= 3
    per_shard = rows if images else max(rows, math.ceil(array.shape[0] / 5))
    streamed = StreamedArray(
        array.path,
        array.shape,
        array.dtype,
        array.dimension_names,
        _attributes(array),
        (1 if images else max(1, per_shard // 2), *array.chunks[1:]),
    )
    return Stream("copy", (streamed,), _Copied(array), rows_per_block=per_shard, unit="rows")


def _whole(array: OpenedArray) -> NewArray:
    return NewArray(array.path, array.read(), array.dimension_names, _attributes(array))


def _attributes(array: OpenedArray) -> dict[str, Any]:
    return {name: value for name, value in array.attributes.items() if name != "hsc:name"}


def _told(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document["attributes"].items() if name != "hsc:name"}
