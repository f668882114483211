"""The client of a bucket: one per process and set of credentials, settled by the environment."""

from __future__ import annotations

import os
import threading
from typing import Any

from hsc.store.bodies import Body

_CONNECT_S = 20  # also the most that one piece of a body may take to leave
_READ_S = 60
_CONNECTIONS = 64
_MOST_KEPT = 8
_AMAZON = (".amazonaws.com", ".amazonaws.com.cn")
_AT_ONCE_BYTES = 1 << 20
_KNOWN = "hsc-s3v4"  # our name, among botocore's, for signing with a digest that is known

_lock = threading.Lock()
_clients: dict[tuple[object, ...], Any] = {}


def s3_client() -> Any:
    """Give a botocore client for the environment as it now stands.

    Endpoint, region and credentials are found as every AWS tool finds them: ``AWS_*`` variables,
    profiles, the machine's role. Without any credentials requests are not signed, as public
    buckets want them. Nothing of it is kept but in this process's memory.
    """
    # A child of a fork must not use its parent's connections.
    key = (os.getpid(), *sorted(each for each in os.environ.items() if each[0].startswith("AWS_")))
    with _lock:
        if key not in _clients:
            while len(_clients) >= _MOST_KEPT:
                _clients.pop(next(iter(_clients)))
            _clients[key] = _make_client()
        return _clients[key]


def _make_client() -> Any:
    # botocore costs 0.2 s to import; a store in a directory does without it.
    import botocore.session
    from botocore import UNSIGNED
    from botocore.config import Config

    session = botocore.session.Session()
    region = os.environ.get("AWS_REGION") or session.get_config_variable("region")
    settings: dict[str, Any] = {
        "connect_timeout": _CONNECT_S,
        "read_timeout": _READ_S,
        "max_pool_connections": _CONNECTIONS,
        "tcp_keepalive": True,
        # Who asks again, and when, is hsc.store.retrying's to say: only there is it known that a
        # PUT may have landed before.
        "retries": {"total_max_attempts": 1},
        # Many servers that are not Amazon's take no checksum trailers. The signature is over the
        # body's SHA-256, which every server checks.
        "request_checksum_calculation": "when_required",
        "response_checksum_validation": "when_required",
    }
    if session.get_credentials() is None:
        settings["signature_version"] = UNSIGNED

    def make(style: str) -> Any:
        config = Config(**settings, s3={"addressing_style": style})
        return session.create_client("s3", region_name=region or "us-east-1", config=config)

    client = make("auto")
    # Other servers than Amazon's seldom have a host name for each bucket.
    if not client.meta.endpoint_url.endswith(_AMAZON):
        client = make("path")
    client.meta.events.register_last("before-call.s3.PutObject", _send_small_at_once)
    client.meta.events.register_first("choose-signer.s3.PutObject", _choose_signer)
    return client


def _choose_signer(signature_version: Any, **_: object) -> str | None:
    """Have a body whose SHA-256 is known signed with that, instead of hashing it once more."""
    import botocore.auth

    # botocore's names of version 4; for S3 it takes either.
    if signature_version not in ("v4", "s3v4"):
        return None
    if _KNOWN not in botocore.auth.AUTH_TYPE_MAPS:

        class KnownDigest(botocore.auth.S3SigV4Auth):  # type: ignore[misc]
            def payload(self, request: Any) -> Any:
                return getattr(request.body, "sha256", None) or super().payload(request)

        botocore.auth.AUTH_TYPE_MAPS[_KNOWN] = KnownDigest
    return _KNOWN


def _send_small_at_once(params: dict[str, Any], **_: object) -> None:
    # botocore asks before every body whether it is wanted (Expect: 100-continue) and sends it in
    # pieces, each with a time limit of its own. That is right for a shard; for a small object it
    # doubles the round trips.
    body = params["body"]
    if isinstance(body, Body) and len(body) < _AT_ONCE_BYTES:
        params["body"] = body.whole()
        params["headers"].pop("Expect", None)
