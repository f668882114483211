"""Times an ingest to a bucket against putting the same objects there with plain clients.

The bucket is the one that HSC_STORE names, AWS_* lead to it. Whatever is written is removed.
Each client signs the bodies as hsc does; over http that is their SHA-256.
"""

from __future__ import annotations

import os
import secrets
import statistics
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hsc import jobs, settings
from hsc.errors import ConfigurationError, HscError
from hsc.store import open_objects
from hsc.testing import DectrisRun, write_dectris_run
from hsc_benchmarks.home import state_directory
from hsc_benchmarks.rounds import Arm, summarise, time_rounds

# As many as an ingest on two processors has under way, and more.
_THREADS = (4, 8)
# As the detectors themselves do by default. Files up to 64 MiB are read once more for the source
# id, which is then a part of what is measured.
_FRAMES_PER_FILE = 1000
_WORDS = {
    "hsc": "hsc ingest --verify none",
    "botocore": "botocore (what boto3 stands on), {threads} threads",
    "obstore": "obstore, {threads} threads",
}

Objects = dict[str, bytes]
"""What is put, by key."""
Put = Callable[[str, bytes], None]
"""Puts an object that is not there yet."""


@dataclass(slots=True)
class Place:
    """A prefix of the bucket, anew for each timing."""

    bucket: str
    """URL of the bucket, or of a prefix of it."""
    prefixes: list[str] = field(default_factory=list)
    """The prefixes that were used."""

    def next(self) -> None:
        """Remove what is in the prefix, and take another."""
        self.clear()
        self.prefixes.append(f"{self.bucket.rstrip('/')}/bench-{secrets.token_hex(8)}")

    def clear(self) -> None:
        """Remove what is in the prefix."""
        for url in self.prefixes[-1:]:
            objects = open_objects(url)
            with ThreadPoolExecutor(8) as threads:
                list(threads.map(objects.delete, objects.keys("")))

    @property
    def url(self) -> str:
        """URL of the prefix."""
        return self.prefixes[-1]


def measure_bucket(
    *, frames: int, rounds: int, folder: Path | None, say: Callable[[str], None]
) -> dict[str, Any]:
    """Time an ingest to the bucket and plain clients that put the same objects.

    Parameters
    ----------
    frames
        Frames of 1065 x 1030 pixels, two bytes each.
    rounds
        How often each arm is timed.
    folder
        Where the source lies; None: the temporary folder.
    say
        Hears how far it is.

    Raises
    ------
    ConfigurationError
        HSC_STORE names no bucket.
    """
    place = Place(settings.store_url())
    if not place.bucket.startswith("s3://"):
        raise ConfigurationError(
            f"HSC_STORE={place.bucket!r} is no bucket", next_step="name one, as in s3://bucket"
        )
    with tempfile.TemporaryDirectory(dir=folder, prefix="hsc-bench-") as made:
        here = Path(made)
        say(f"making a run of {frames} frames in {here}")
        facts = DectrisRun(frames=frames, frames_per_file=_FRAMES_PER_FILE)
        master = write_dectris_run(here / "run", facts)
        objects = _objects_of(master, here / "objects")
        nbytes = sum(map(len, objects.values()))
        arms = {"hsc": Arm(place.next, lambda: _ingest(master, here, place.url))}
        for name, client in _clients().items():
            for threads in _THREADS:
                arms[f"{name} {threads}"] = _putting(client, objects, threads, place)
        try:
            times = time_rounds(arms, rounds, say)
        finally:
            place.clear()
    rows = summarise(times, nbytes, floor=_fastest(times))
    for row in rows:
        kind, _, threads = row["arm"].partition(" ")
        row["what"] = _WORDS[kind].format(threads=threads)
    sizes = sorted(map(len, objects.values()), reverse=True)
    source = {
        "frames": frames,
        "frames_per_file": _FRAMES_PER_FILE,
        "endpoint": "https" if _endpoint().startswith("https") else "http",
        "objects": len(sizes),
        "bytes": nbytes,
        "largest_bytes": sizes[:3],
    }
    return {"source": source, "rounds": rounds, "arms": rows}


def _objects_of(master: Path, folder: Path) -> Objects:
    """Give the objects that an ingest of a run makes, from a store in a directory."""
    folder.mkdir()
    _ingest(master, folder, (folder / "store").as_uri())
    store = open_objects((folder / "store").as_uri())
    return {key: store.get(key) for key in store.keys("")}


def _ingest(master: Path, folder: Path, store: str) -> None:
    with (
        tempfile.TemporaryDirectory(dir=folder) as home,
        state_directory(Path(home), HSC_STORE=store),
    ):
        report = jobs.ingest(jobs.IngestRequest(paths=(str(master),), verify="none"))
    if report.errors:
        raise HscError(report.errors[0].message, where=report.errors[0].where)


def _putting(client: Callable[[str], Put], objects: Objects, threads: int, place: Place) -> Arm:
    def run() -> None:
        put = client(place.url)
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda item: put(*item), objects.items()))

    return Arm(place.next, run)


def _fastest(times: dict[str, list[float]]) -> str:
    """Give the fastest of the plain clients."""
    plain = [name for name in times if name != "hsc"]
    return min(plain, key=lambda name: statistics.median(times[name]))


def _clients() -> dict[str, Callable[[str], Put]]:
    found: dict[str, Callable[[str], Put]] = {"botocore": _botocore}
    if find_spec("obstore") is not None:
        found["obstore"] = _obstore
    return found


def _botocore(url: str) -> Put:
    import botocore.session
    from botocore.config import Config

    client = botocore.session.Session().create_client(
        "s3",
        region_name=os.environ.get("AWS_DEFAULT_REGION", "us-east-1"),
        config=Config(
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            max_pool_connections=max(_THREADS),
        ),
    )
    bucket, prefix = _parts(url)

    def put(key: str, data: bytes) -> None:
        client.put_object(Bucket=bucket, Key=f"{prefix}/{key}", Body=data, IfNoneMatch="*")

    return put


def _obstore(url: str) -> Put:
    import obstore
    from obstore.store import S3Store

    bucket, prefix = _parts(url)
    store = S3Store(
        bucket,
        prefix=prefix,
        region=os.environ.get("AWS_DEFAULT_REGION", "us-east-1"),
        endpoint=_endpoint(),
        virtual_hosted_style_request=False,
        client_options={"allow_http": True, "timeout": "600s"},
    )

    def put(key: str, data: bytes) -> None:
        obstore.put(store, key, data, mode="create", use_multipart=False)

    return put


def _parts(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.netloc, parts.path.strip("/")


def _endpoint() -> str:
    return os.environ.get("AWS_ENDPOINT_URL", "https://s3.amazonaws.com")
