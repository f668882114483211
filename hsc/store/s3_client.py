"""Clients of buckets: one per process, server and credentials; each server gets only its own."""

from __future__ import annotations

import logging
import os
import threading
from typing import Any

from hsc.store.bodies import Body
from hsc.store.credentials import (
    BoundCredentials,
    Credentials,
    any_bound,
    bound_credentials,
)
from hsc.store.origins import origin_of

_CONNECT_S = 20  # also the most that one piece of a body may take to leave
_READ_S = 60
_CONNECTIONS = 64
_MOST_KEPT = 8
_AMAZON = (".amazonaws.com", ".amazonaws.com.cn")
_AT_ONCE_BYTES = 1 << 20
_KNOWN = "hsc-s3v4"  # our name, among botocore's, for signing with a digest that is known

_lock = threading.RLock()
_clients: dict[tuple[object, ...], Any] = {}


def s3_client(endpoint: str | None = None) -> Any:
    """Give a botocore client for a server, for the environment as it now stands.

    What the environment says (``AWS_*`` variables, profiles, the machine's role) is for the
    environment's endpoint alone. Another server gets what was bound to it (`bind_credentials`);
    where nothing was, requests are not signed, as public buckets want them. Nothing of it is kept
    but in this process's memory.

    Parameters
    ----------
    endpoint
        URL of the server; None: the environment's.
    """
    bound = None
    if endpoint is not None or any_bound():
        own = environment_origin()
        origin = own if endpoint is None else origin_of(endpoint)
        endpoint = None if origin == own else endpoint
        bound = bound_credentials(origin)
    return _kept(endpoint, bound, signed=endpoint is None or bound is not None)


def is_own(endpoint: str | None) -> bool:
    """Tell whether an endpoint is the environment's."""
    return endpoint is None or origin_of(endpoint) == environment_origin()


def environment_origin() -> str:
    """Give the origin of the server that the environment names; Amazon's when it names none."""
    return origin_of(_kept(None, None, signed=False).meta.endpoint_url)


def used_credentials(client: Any) -> Credentials | None:
    """Give what a client signs with; None when it does not sign."""
    held = client._request_signer._credentials  # noqa: SLF001 (botocore has no other door to it)
    if held is None:
        return None
    frozen = held.get_frozen_credentials()
    return Credentials(frozen.access_key, frozen.secret_key, frozen.token)


def renew_client(endpoint: str | None, used: Credentials | None, perhaps: bool) -> bool:
    """Tell whether there are other credentials now than those that a server refused.

    Those of the environment are looked for again, as a file may have been written anew; where the
    server did not say why it refused (``perhaps``), only such as end by themselves.
    """
    if used is None:
        return False
    bound = _bound_of(s3_client(endpoint))
    if bound is not None:
        return bound.renew(used)
    if perhaps and used.session_token is None:
        return False
    with _lock:
        if used_credentials(s3_client(endpoint)) == used:
            for key in [key for key in _clients if key[2] is None]:
                _clients.pop(key).close()
        return used_credentials(s3_client(endpoint)) != used


def _bound_of(client: Any) -> BoundCredentials | None:
    held = client._request_signer._credentials  # noqa: SLF001 (as above)
    bound: BoundCredentials | None = getattr(held, "bound", None)
    return bound


def _kept(endpoint: str | None, bound: BoundCredentials | None, *, signed: bool) -> Any:
    # A child of a fork must not use its parent's connections.
    known = sorted(each for each in os.environ.items() if each[0].startswith("AWS_"))
    key = (os.getpid(), endpoint, bound, signed, *known)
    with _lock:
        if key not in _clients:
            while len(_clients) >= _MOST_KEPT:
                _clients.pop(next(iter(_clients))).close()
            _clients[key] = _make_client(endpoint, bound, signed)
        return _clients[key]


def _make_client(endpoint: str | None, bound: BoundCredentials | None, signed: bool) -> Any:
    # botocore costs 0.2 s to import; a store in a directory does without it.
    import botocore.session
    from botocore import UNSIGNED
    from botocore.config import Config

    _keep_tokens_out_of_logs()
    session = botocore.session.Session()
    if bound is not None:
        session.register_component("credential_provider", _Finder(bound))
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
    if not signed or session.get_credentials() is None:
        settings["signature_version"] = UNSIGNED

    def make(style: str) -> Any:
        config = Config(**settings, s3={"addressing_style": style})
        return session.create_client(
            "s3", region_name=region or "us-east-1", endpoint_url=endpoint, config=config
        )

    client = make("auto")
    # Other servers than Amazon's seldom have a host name for each bucket.
    if not client.meta.endpoint_url.endswith(_AMAZON):
        client = make("path")
        # Only Amazon's servers lead from region to region; another's redirect is an error, over
        # which botocore would ask it for the region without end.
        client.meta.events.register_last("before-parameter-build.s3", _stay_in_region)
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


class _Finder:
    """Where a session finds bound credentials, and never looks further."""

    def __init__(self, bound: BoundCredentials) -> None:
        self._bound = bound

    def load_credentials(self) -> Any:
        from botocore.credentials import Credentials as Known
        from botocore.credentials import ReadOnlyCredentials

        class Held(Known):  # type: ignore[misc]
            """Bound credentials as botocore asks for them: before each request."""

            bound = self._bound

            def get_frozen_credentials(self) -> ReadOnlyCredentials:
                now = self.bound.current()
                return ReadOnlyCredentials(now.access_key, now.secret_key, now.session_token)

        return Held("", "", method="hsc")


def _keep_tokens_out_of_logs() -> None:
    """Have botocore not write session tokens into its debug log."""
    for name in ("botocore.auth", "botocore.endpoint", "botocore.hooks", "botocore.parsers"):
        log = logging.getLogger(name)
        if _holds_no_token not in log.filters:
            log.addFilter(_holds_no_token)


def _holds_no_token(record: logging.LogRecord) -> bool:
    text = record.getMessage().lower()
    return "x-amz-security-token" not in text and "secret_key" not in text


def _stay_in_region(context: dict[str, Any], **_: object) -> None:
    context.setdefault("s3_redirect", {})["redirected"] = True


def _send_small_at_once(params: dict[str, Any], **_: object) -> None:
    # botocore asks before every body whether it is wanted (Expect: 100-continue) and sends it in
    # pieces, each with a time limit of its own. That is right for a shard; for a small object it
    # doubles the round trips.
    body = params["body"]
    if isinstance(body, Body) and len(body) < _AT_ONCE_BYTES:
        params["body"] = body.whole()
        params["headers"].pop("Expect", None)


def copy_object(
    client: Any, bucket: str, source: str, path: str, *, source_bucket: str | None = None
) -> None:
    """Have the server copy an object, if the name is not taken; None: within a bucket."""
    there = {"Bucket": source_bucket or bucket, "Key": source}
    asked = {"Bucket": bucket, "Key": path, "CopySource": there}
    # Older releases of botocore don't know that a copy can be conditional.
    shape = client.meta.service_model.operation_model("CopyObject").input_shape
    condition = {"IfNoneMatch": "*"} if "IfNoneMatch" in shape.members else {}
    client.copy_object(**asked, **condition)
