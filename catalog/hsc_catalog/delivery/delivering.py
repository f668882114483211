"""Delivery: from a caller and a PID to where objects can be got, once it is known they may."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from urllib.parse import quote, urlsplit

from hsc import settings
from hsc.errors import ForbiddenError, LocationRefusedError, ObjectMissingError
from hsc.model import Dataset, Pid, ReplicaState, now
from hsc.store import LentKeys, lend_keys, presign
from hsc_catalog.access import Caller, may_preview, visible_standing
from hsc_catalog.catalog import SqlCatalog
from hsc_catalog.databases import Database
from hsc_catalog.delivery.versions import DeliveredVersion, find_version

_MOST_KEPT = 32
_BUCKETS = ("s3", "s3a", "s3+http", "s3+https")
_STATES = (ReplicaState.ONLINE, ReplicaState.DAMAGED)


class Delivery:
    """What a server delivers, and from where.

    Parameters
    ----------
    database
        The catalog's database.
    stores
        URLs of the stores that it delivers from; None: what `hsc.settings.delivered_stores` says.
    valid_s
        Seconds that addresses with a signature, and lent keys, hold.
    role
        Role to take on for lending keys; None: what `hsc.settings.sts_role` says.
    """

    def __init__(
        self,
        database: Database,
        *,
        stores: Sequence[str] | None = None,
        valid_s: int = 900,
        role: str | None = None,
    ) -> None:
        self._database = database
        self._stores = stores
        self._role = role
        self.valid_s = valid_s
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, ...], DeliveredVersion] = OrderedDict()

    def urls(self, caller: Caller, pid: Pid, keys: Sequence[str]) -> dict[str, str]:
        """Give where objects of a version can be got, by key; those that it has not are left out.

        Addresses in a bucket are signed and hold for `valid_s`; those of the server itself are
        relative to the version: ``objects/<key>``.

        Raises
        ------
        DatasetNotFoundError
            There is no such dataset, or the caller may not see it.
        LocationRefusedError
            It lies in none of the stores.
        """
        version, preview = self.version(caller, pid)
        there = []
        for key in dict.fromkeys(keys):
            try:
                version.find(key, preview=preview)
            except ObjectMissingError:
                continue
            there.append(key)
        if version.folder is not None:
            return {key: f"objects/{quote(key)}" for key in there}
        return presign(version.location, there, self.valid_s)

    def location(self, caller: Caller, pid: Pid) -> str:
        """Give the location of the replica that is delivered, as the catalog lists it.

        Raises
        ------
        DatasetNotFoundError, LocationRefusedError
            As `urls`.
        """
        return self.version(caller, pid)[0].location

    def lend(self, caller: Caller, pid: Pid) -> LentKeys:
        """Lend keys that read and list one version's folder in its bucket, and nothing else.

        Raises
        ------
        DatasetNotFoundError, LocationRefusedError
            As `urls`.
        ForbiddenError
            A part of the folder is not for the caller.
        StoreError
            The bucket's server lends none.
        """
        version, preview = self.version(caller, pid)
        role = self._role or settings.sts_role()
        if urlsplit(version.location).scheme not in _BUCKETS or role is None:
            raise LocationRefusedError(
                "no keys are lent for where the dataset lies",
                where=str(pid),
                next_step="ask for addresses of single objects (POST urls)",
            )
        if not preview:
            raise ForbiddenError(
                "no keys are lent for what has previews that nobody may see",
                where=str(pid),
                next_step="ask for addresses of single objects (POST urls)",
            )
        name = re.sub(r"[^A-Za-z0-9_=,.@-]", "-", f"hsc-{caller.subject or 'link'}")[:64]
        return lend_keys(version.location, role, self.valid_s, name)

    def version(self, caller: Caller, pid: Pid) -> tuple[DeliveredVersion, bool]:
        """Give a version, and whether its previews may be seen.

        Raises
        ------
        DatasetNotFoundError, LocationRefusedError
            As `urls`.
        """
        # The one predicate: what the caller may not see is not found here.
        with self._database.reading() as connection:
            standing = visible_standing(connection, caller, pid, now())
        catalog = SqlCatalog(self._database, caller)
        record = catalog.get(pid)
        replicas = catalog.replicas(record.pid.at(record.version))
        places = [r.location for state in _STATES for r in replicas if r.state is state]
        return self._found(record, places), may_preview(standing.access)

    def _found(self, record: Dataset, places: Sequence[str]) -> DeliveredVersion:
        stores = tuple(self._stores or settings.delivered_stores())
        key = (str(record.pid.at(record.version)), record.root, *places, "", *stores)
        with self._lock:
            known = self._kept.get(key)
            if known is not None:
                self._kept.move_to_end(key)
                return known
        found = find_version(record, places, stores)
        with self._lock:
            self._kept[key] = found
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return found
