"""The doctor: whether an installation can do its work, and what to mend when it can't."""

from __future__ import annotations

import platform
import secrets
import shutil
from collections.abc import Callable
from importlib import metadata, util
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import httpx

from hsc import settings
from hsc.client import connect
from hsc.errors import HscError, StoreError
from hsc.jobs.working import named_workers
from hsc.layouts import find_facility
from hsc.model import Query, Record
from hsc.store import Patience, open_objects
from hsc.workers import available_cpus

_FACILITY = ("h5py", "hdf5plugin", "numba", "pyFAI", "prefect", "distributed", "matplotlib")
_LEAST_FREE_BYTES = 2 * 10**9
_PATIENCE = Patience(total_s=5)  # who asks what is wrong wants to know now


class Check(Record):
    """What was looked at, and what was found."""

    name: str
    """What was looked at."""
    ok: bool
    """Whether it will do."""
    found: str
    """What was found."""
    next: str = ""
    """What to do when it will not."""


def examine() -> list[Check]:
    """Look at packages, settings, store, catalog, workers and Prefect; change nothing for good."""
    looks: list[tuple[str, Callable[[], str]]] = [
        ("hsc", _own_version),
        ("part for facilities", _facility_part),
        ("facility", lambda: find_facility(settings.facility()).name),
        ("store", _store),
        ("free space", _free_space),
        ("catalog", _catalog),
        ("workers", _workers),
        ("Prefect", _prefect),
    ]
    return [_check(name, look) for name, look in looks]


def _check(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name=name, ok=True, found=look())
    except HscError as error:
        found = f"{error.message} ({error.where})" if error.where else error.message
        return Check(name=name, ok=False, found=found, next=error.next_step)


def _own_version() -> str:
    number = metadata.version("hanseatic-science-cloud")
    return f"{number}, Python {platform.python_version()}"


def _facility_part() -> str:
    missing = [name for name in _FACILITY if util.find_spec(name) is None]
    if len(missing) == len(_FACILITY):
        return "not installed: this installation searches, reads and opens"
    if missing:
        raise HscError(
            f"partly installed, without {', '.join(missing)}",
            next_step="pip install 'hanseatic-science-cloud[facility]'",
        )
    return "installed: this installation ingests and reduces too"


def _store() -> str:
    url = settings.store_url()
    objects = open_objects(url, _PATIENCE)
    key = f".doctor/{secrets.token_hex(8)}"
    try:
        objects.put_new(key, b"hsc doctor")
        if objects.get(key) != b"hsc doctor":
            raise StoreError("it gives back other bytes than it was given", where=url)
        objects.delete(key)
    except OSError as error:
        if isinstance(error, HscError):
            raise
        raise StoreError(
            f"it can't be used: {error}",
            where=url,
            next_step="check HSC_STORE and the credentials in the environment",
        ) from error
    return f"{url}: writes, reads, deletes"


def _free_space() -> str:
    url = settings.store_url()
    if not url.startswith("file://"):
        return "the store is no directory"
    folder = Path(url2pathname(urlsplit(url).path))
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < _LEAST_FREE_BYTES:
        raise StoreError(f"only {free / 1e9:.1f} GB free", where=str(folder), next_step="make room")
    return f"{free / 1e9:.0f} GB"


def _catalog() -> str:
    with connect(create=False) as catalog:
        total = catalog.search(Query(limit=1)).total
        return f"{catalog.url}: {total} datasets"


def _workers() -> str:
    spec = settings.dask()
    if spec in ("threads", "processes"):
        return f"{spec}, {available_cpus()} processors"
    with named_workers(None) as workers:
        return f"{spec}, {workers.count} threads"


def _prefect() -> str:
    url = settings.prefect_url()
    if url is None:
        return "no server named: flows bring their own for as long as they run"
    shown = httpx.URL(url).copy_with(username=None, password=None)
    try:
        httpx.get(f"{url.rstrip('/')}/health", timeout=5).raise_for_status()
    except httpx.HTTPError as error:
        raise HscError(
            f"the server does not answer: {error}",
            where=str(shown),
            next_step="start it (deploy/local/local.py up), or unset PREFECT_API_URL",
        ) from error
    return f"{shown} answers"
