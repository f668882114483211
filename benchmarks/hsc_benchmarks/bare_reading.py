"""What reading is measured against: bare range requests, h5py over s3fs, zarr and xarray alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import google_crc32c
import numpy as np
from numcodecs import blosc
from numpy.typing import NDArray

from hsc.store import CheckedVersion
from hsc_benchmarks.stacks import PATH

_SPAN_BYTES = 8 * 2**20


def obstore_at(url: str) -> Any:
    """Give obstore's client of a folder in a bucket."""
    from obstore.store import S3Store

    parts = urlsplit(url)
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "https://s3.amazonaws.com")
    return S3Store(
        parts.netloc,
        prefix=parts.path.strip("/"),
        region=os.environ.get("AWS_DEFAULT_REGION", "us-east-1"),
        endpoint=endpoint,
        virtual_hosted_style_request=False,
        client_options={"allow_http": True, "timeout": "600s"},
    )


def read_bare(
    store: Any, version: CheckedVersion, key: str, shape: tuple[int, ...], threads: int, span: bool
) -> NDArray[np.uint16]:
    """Read a stack of Blosc frames with obstore, google-crc32c and numcodecs, and nothing else.

    Parameters
    ----------
    store
        obstore's client of the version's folder.
    version
        Its manifest tells where frames lie, so that no request is spent on that.
    key
        Key of the array below the version's folder.
    shape
        Frames, rows, columns.
    threads
        How many threads ask, check and decode.
    span
        Whether frames that lie together are got by one request of up to 8 MiB.
    """
    import obstore

    result = np.empty(shape, np.uint16)

    def run(job: tuple[str, list[tuple[int, int, int, int]]]) -> None:
        path, frames = job
        start, stop = frames[0][1], frames[-1][2]
        whole = memoryview(obstore.get_range(store, path, start=start, end=stop))
        for frame, low, high, crc in frames:
            part = np.frombuffer(whole[low - start : high - start], np.uint8)
            if google_crc32c.value(part) != crc:
                raise ValueError(f"frame {frame} is damaged")
            blosc.decompress(part, result[frame])

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(run, _jobs(version, key, span)))
    return result


def _jobs(
    version: CheckedVersion, key: str, span: bool
) -> Iterator[tuple[str, list[tuple[int, int, int, int]]]]:
    """Go through the requests: object, and of each frame in it its number, place and crc32c."""
    entries = [e for e in version.manifest.entries if e.key.startswith(f"{key}/c/")]
    first = 0
    for entry in sorted(entries, key=lambda e: int(e.key.split("/")[-3])):
        table, frames = entry.chunks, list[tuple[int, int, int, int]]()
        there = [n for n in range(len(table)) if table.states[n]]
        for n in there:
            low, high = int(table.offsets[n]), int(table.offsets[n] + table.lengths[n])
            if frames and (not span or high - frames[0][1] > _SPAN_BYTES):
                yield entry.key, frames
                frames = []
            frames.append((first + n, low, high, int(table.crcs[n])))
        if frames:
            yield entry.key, frames
        first += len(table)


def read_frame_over_s3fs(url: str, frame: int) -> NDArray[Any]:
    """Read a frame of an HDF5 file in a bucket with h5py over s3fs, which remembers nothing."""
    import h5py
    import hdf5plugin  # noqa: F401 (its filters)

    with s3fs_at().open(url.removeprefix("s3://"), "rb") as raw, h5py.File(raw) as file:
        found: NDArray[Any] = file[PATH][frame]
    return found


def s3fs_at() -> Any:
    """Give a fresh s3fs for the endpoint of the environment."""
    import s3fs

    return s3fs.S3FileSystem(
        endpoint_url=os.environ.get("AWS_ENDPOINT_URL"), skip_instance_cache=True
    )


def zarr_over_obstore(url: str) -> Any:
    """Open the stack with zarr-python alone, over obstore."""
    import zarr
    from zarr.storage import ObjectStore

    store: Any = ObjectStore(obstore_at(f"{url}/data.zarr"), read_only=True)
    return zarr.open_group(store, mode="r")[PATH]


def xarray_over_s3fs(url: str) -> Any:
    """Open the stack lazily with xarray alone, over s3fs."""
    import xarray as xr

    group, _, name = PATH.rpartition("/")
    opened = xr.open_zarr(
        f"{url}/data.zarr",
        group=group,
        storage_options={"endpoint_url": os.environ.get("AWS_ENDPOINT_URL")},
    )
    return opened[name]
