"""The replicate job: a whole further copy of a version in another store."""

from __future__ import annotations

import logging
import time

from pydantic import Field

from hsc.client import Catalog
from hsc.errors import ConfigurationError, ConflictError, ObjectExistsError, StoreError
from hsc.jobs.copying import Copied, CopyTask, copy_entries, manifest_bytes
from hsc.jobs.locating import Located, locate, split_location
from hsc.jobs.telling import open_catalog
from hsc.jobs.working import named_workers
from hsc.model import Pid, Record, Replica, now
from hsc.provenance import RunningActivity, recorded
from hsc.store import (
    CHECKSUMS_KEY,
    MANIFEST_KEY,
    ObjectStore,
    VersionWriter,
    checksum_lines,
    clear_remains,
    holding,
    open_objects,
    open_version,
    place_attempt,
    place_claim,
    read_claim,
)
from hsc.workers import Progress, Silent

_LOG = logging.getLogger(__name__)


class ReplicateRequest(Record):
    """Which version to copy, and where to."""

    pid: Pid
    """The dataset; without a version the newest."""
    store: str
    """URL of the store that the copy goes to."""
    verify: bool = False
    """Whether each object is read back from there."""
    workers: int | None = Field(default=None, ge=1)
    """Threads or processes at work; None: as many as there are processors."""
    max_rate: int | None = Field(default=None, ge=1)
    """Bytes a second that are written, all workers together; None: as fast as it goes."""
    memory: int | None = Field(default=None, ge=1)
    """Bytes that objects on their way may take, all workers together; None: not bounded."""


class Replication(Record):
    """What came of it."""

    pid: Pid
    """The dataset, without a version."""
    version: int
    """Which version of it."""
    root: str
    """Its root."""
    location: str
    """URL of the copy's folder."""
    objects: int
    """Objects that were copied."""
    bytes: int
    """Their bytes."""
    kept: int
    """Objects that lay there complete from an earlier attempt, and were checked."""
    existing: bool = False
    """The copy was there already; nothing was written."""
    seconds: float = 0.0
    """How long it took."""


def replicate(request: ReplicateRequest, *, progress: Progress | None = None) -> Replication:
    """Copy a version's objects to another store; its manifest goes last.

    Digests are checked on the way; what is damaged at the first replica comes from another one.
    An attempt that died is gone on with. The replica is registered, and its source's claim placed
    in that store, so that the same source does not become a second dataset there.

    Raises
    ------
    DatasetNotFoundError
        There is no such dataset.
    ArchivedError
        No replica can be read.
    DamageError
        An object is damaged in all replicas; nothing is committed.
    ConflictError
        Another version lies there in its place.
    """
    started, heard = time.perf_counter(), progress or Silent()
    with open_catalog() as catalog:
        located = locate(catalog, request.pid)
        record = located.record
        pid = record.pid.at(record.version)
        with recorded(catalog, "replicate", request.document()) as activity, holding(activity.id):
            activity.note(used=(str(pid),), input_roots=(record.root,))
            copy = _Copy(request, located, activity.id)
            existing = copy.committed()
            done = Copied() if existing else copy.make(heard)
            copy.place_claims()
            activity.note(bytes_in=done.nbytes, bytes_out=done.nbytes)
            _register(catalog, request, pid, copy.url, activity, existing=existing)
    return Replication(
        pid=record.pid,
        version=record.version,
        root=record.root,
        location=copy.url,
        objects=done.objects,
        bytes=done.nbytes,
        kept=done.kept,
        existing=existing,
        seconds=round(time.perf_counter() - started, 3),
    )


class _Copy:
    """One further copy of a version on its way."""

    def __init__(self, request: ReplicateRequest, located: Located, attempt: str) -> None:
        self._request = request
        self._located = located
        self._attempt = attempt
        self._from, self._folder = _home(located)
        self._target: ObjectStore = open_objects(request.store)
        self.url = f"{request.store.rstrip('/')}/{self._folder}"
        first, *others = located.locations
        self._version = open_version(first, others=others, root=located.record.root)

    def committed(self) -> bool:
        """Tell whether the copy is there, with all its objects.

        Raises
        ------
        ConflictError
            Another version lies there.
        DamageError
            Objects of it are gone.
        """
        if self._target.size(f"{self._folder}/{MANIFEST_KEY}") is None:
            return False
        there = open_version(self.url)
        if there.manifest.root != self._version.manifest.root:
            raise ConflictError(
                f"another version lies there, of root {there.manifest.root}",
                where=self.url,
                next_step="find out which of the two is right",
            )
        there.check_present()
        return True

    def make(self, progress: Progress) -> Copied:
        """Copy all objects, then the manifest."""
        request, record, manifest = self._request, self._located.record, self._version.manifest
        place_attempt(
            self._target, "replicate", record.pid, record.version, self._folder,
            activity=self._attempt,
        )  # fmt: skip
        keys = [entry.key for entry in manifest.entries if not entry.absent and not entry.packed]
        VersionWriter(self._target, self._folder).begin([], [*keys, CHECKSUMS_KEY])
        like = CopyTask(
            self._located.locations, request.store, self._folder, (), read_back=request.verify
        )
        bounds = {"memory": request.memory, "max_rate": request.max_rate}
        with named_workers(request.workers, **bounds) as workers:
            done = copy_entries(manifest.entries, like, workers, progress)
        encoded = manifest_bytes(self._version)
        self._put_same(CHECKSUMS_KEY, checksum_lines(manifest, encoded))
        self._put_same(MANIFEST_KEY, encoded)
        try:
            clear_remains(self._target, self._folder)
        except StoreError as error:  # a write-once store keeps the notes; they do no harm
            _LOG.info("the notes of %s stay: %s", self.url, error)
        return done

    def place_claims(self) -> None:
        """Tell the copy's store what the source became, where it knows of no other dataset."""
        source_id = self._version.manifest.source_id
        source = open_objects(self._from)
        claim = None if source_id is None else read_claim(source, source_id)
        for name in (claim.source_id, claim.slot) if claim is not None else ():
            ours = read_claim(source, name) if name else None
            if ours is None or ours.location != self._folder:
                continue
            theirs = read_claim(self._target, name)
            if theirs is None:
                place_claim(self._target, ours.model_copy(update={"turn": 0}))
            elif theirs.pid != ours.pid:
                _LOG.warning("in %s the same source is %s", self._request.store, theirs.pid)

    def _put_same(self, key: str, data: bytes) -> None:
        key = f"{self._folder}/{key}"
        try:
            self._target.put_new(key, data)
        except ObjectExistsError:
            if self._target.get(key) != data:
                raise


def _home(located: Located) -> tuple[str, str]:
    """Give the store that a version lies in and its folder there.

    Raises
    ------
    ConfigurationError
        None of its places is in a store.
    """
    for location in located.locations:
        split = split_location(location)
        if split is not None:
            return split
    raise ConfigurationError(
        "the dataset lies in a folder by itself and in no store",
        where=located.locations[0],
        next_step="replicate it from a store, or copy the folder with rclone",
    )


def _register(
    catalog: Catalog,
    request: ReplicateRequest,
    pid: Pid,
    url: str,
    activity: RunningActivity,
    *,
    existing: bool,
) -> None:
    moment = now()
    known = {each.location: each for each in catalog.replicas(pid)}.get(url)
    done = activity.as_done()
    if known is None or not existing:
        verified = moment if request.verify and not existing else None
        made = Replica(location=url, since=moment, verified=verified, activity=activity.id)
        catalog.register_replica(pid, made, done)
    else:
        catalog.record(done)
    activity.done(done)
