"""Many parts of objects in a bucket by obstore, where it is installed and may be used."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib.util import find_spec
from typing import Any

from hsc import settings
from hsc.store.credentials import Credentials
from hsc.store.ranges import Part
from hsc.store.s3_client import used_credentials

_LOG = logging.getLogger(__name__)
_MOST_KEPT = 8
_MOST_FAILURES = 3  # one after the other, and for a minute it is not asked again
_REST_S = 60.0
_AMAZON = ".amazonaws.com"
_ADDED = {"AWS_SESSION_TOKEN", "AWS_TOKEN", "AWS_SSE_CUSTOMER_KEY_BASE64"}

_lock = threading.Lock()
_lanes: dict[tuple[int, str, Credentials | None], _Lane] = {}
_process: int | None = None


@dataclass(slots=True)
class _Lane:
    """A bucket as obstore reads it."""

    client: Any
    """The botocore client that it stands beside; kept, so that its number stays its own."""
    store: Any
    failures: int = 0
    """How often it failed since it last did not."""
    failed: float = 0.0
    """When it last did, by the monotonic clock."""


def read_parts(
    client: Any, bucket: str, path: str, ranges: Sequence[tuple[int, int]]
) -> list[Part] | None:
    """Give parts of an object; None where botocore is to be asked, for the parts or for why not.

    obstore follows redirects and takes a session token along to another host (object_store 0.14).
    So it signs with lasting keys alone, which it does not take along, and asks only the server
    that the environment names.

    Parameters
    ----------
    client
        The botocore client of the environment's server.
    bucket, path
        The object.
    ranges
        First byte and the one after the last of each part.
    """
    used = used_credentials(client)
    if not _installed() or not _suits(client, used) or any(stop <= start for start, stop in ranges):
        return None
    lane = _lane(client, bucket, used)
    if lane.failures >= _MOST_FAILURES and time.monotonic() - lane.failed < _REST_S:
        return None
    import obstore  # 20 MB; a store in a directory does without it

    starts, ends = [start for start, _ in ranges], [stop for _, stop in ranges]
    try:
        found = obstore.get_ranges(lane.store, path, starts=starts, ends=ends, coalesce=0)
    except Exception as error:
        lane.failures += not isinstance(error, FileNotFoundError)
        lane.failed = time.monotonic()
        _LOG.debug("obstore failed at %s/%s (%s); botocore is asked", bucket, path, type(error))
        return None
    lane.failures = 0
    return [memoryview(part) for part in found]


@cache
def _installed() -> bool:
    return find_spec("obstore") is not None


def _suits(client: Any, used: Credentials | None) -> bool:
    """Tell whether obstore may have these credentials, here and now."""
    global _process  # noqa: PLW0603 (its threads live in the process that used it first, no fork)
    if _process is None:
        _process = os.getpid()
    if _process != os.getpid() or _reads_other_things(client.meta.endpoint_url):
        return False
    # Certificates that are named to botocore alone obstore does not know.
    if "AWS_CA_BUNDLE" in os.environ and client.meta.endpoint_url.startswith("https:"):
        return False
    lasting = used is None or used.session_token is None
    return lasting and settings.s3_engine() == "auto"


def _reads_other_things(server: str) -> bool:
    """Tell whether obstore would take from the environment what botocore does not.

    Whatever it is given, it adds a token and keys that stand there, and prefers some of the
    variables for a server (obstore 0.12).
    """
    if _ADDED & set(os.environ):
        return True
    named = [os.environ.get("AWS_ENDPOINT_URL_S3")]
    if server.endswith(_AMAZON):  # none is given then
        named += [os.environ.get("AWS_ENDPOINT_URL"), os.environ.get("AWS_ENDPOINT")]
    return any(each and each.rstrip("/") != server.rstrip("/") for each in named)


def _lane(client: Any, bucket: str, used: Credentials | None) -> _Lane:
    key = (id(client), bucket, used)
    with _lock:
        if key not in _lanes:
            while len(_lanes) >= _MOST_KEPT:
                _lanes.pop(next(iter(_lanes)))
            _lanes[key] = _Lane(client, _make_store(client, bucket, used))
        return _lanes[key]


def _make_store(client: Any, bucket: str, used: Credentials | None) -> Any:
    from obstore.store import S3Store

    server = client.meta.endpoint_url
    given: dict[str, Any] = {"skip_signature": True}
    if used is not None:
        given = {"access_key_id": used.access_key, "secret_access_key": used.secret_key}
    if not server.endswith(_AMAZON):
        given |= {"endpoint": server, "virtual_hosted_style_request": False}
    return S3Store(
        bucket,
        region=client.meta.region_name,
        **given,
        client_options={
            "allow_http": server.startswith("http:"),
            "connect_timeout": "20s",
            "read_timeout": "60s",
            "timeout": "1h",  # of a whole answer; its read_timeout sees a line that stands still
        },
        # What fails oftener is asked again by hsc.store.retrying.
        retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=10)},
    )
