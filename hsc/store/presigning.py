"""Letting others read a folder of a bucket: addresses with a signature, or keys for a while."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from hsc.errors import StoreError
from hsc.store.credentials import Credentials
from hsc.store.objects import checked_key
from hsc.store.origins import split_bucket
from hsc.store.s3_client import s3_client, used_credentials

_LEAST_S = 900


def presign(location: str, keys: Iterable[str], valid_s: int) -> dict[str, str]:
    """Give addresses by which anybody reads objects of a folder in a bucket, for a while.

    Nothing is asked: an address of an object that is not there leads to nothing.

    Parameters
    ----------
    location
        URL of the folder, as in ``s3://bucket/prefix``.
    keys
        Keys below it.
    valid_s
        Seconds that the addresses hold; less where the keys that sign them end before.

    Returns
    -------
    addresses
        By key; signed with what this process has for the bucket's server, and not signed where it
        has nothing, as for a public bucket.
    """
    # botocore costs 0.2 s to import; who only reads does without it.
    from botocore.auth import S3SigV4QueryAuth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import ReadOnlyCredentials

    endpoint, bucket, prefix = split_bucket(location.rstrip("/"))
    client = s3_client(endpoint)
    used = used_credentials(client)
    below = f"{client.meta.endpoint_url}/{bucket}/" + (f"{prefix}/" if prefix else "")
    auth = None
    if used is not None:
        known = ReadOnlyCredentials(used.access_key, used.secret_key, used.session_token)
        auth = S3SigV4QueryAuth(known, "s3", client.meta.region_name, expires=valid_s)
    made = {}
    for key in keys:
        request = AWSRequest("GET", quote(below + checked_key(key, location), safe=":/~"))
        if auth is not None:
            auth.add_auth(request)
        made[key] = str(request.url)
    return made


@dataclass(frozen=True, slots=True)
class LentKeys:
    """Keys that read one folder of a bucket and nothing else, for a while."""

    credentials: Credentials = field(repr=False)
    """The keys."""
    endpoint: str
    """URL of the server."""
    region: str
    """Its region."""
    bucket: str
    """The bucket."""
    prefix: str
    """The folder; no slash at its end."""

    def document(self) -> dict[str, Any]:
        """Give them as an answer words them: secrets included."""
        expires: datetime | None = self.credentials.expires
        return {
            "access_key": self.credentials.access_key,
            "secret_key": self.credentials.secret_key,
            "session_token": self.credentials.session_token,
            "expires": None if expires is None else expires.isoformat(),
            "endpoint": self.endpoint,
            "region": self.region,
            "bucket": self.bucket,
            "prefix": self.prefix,
        }


def lend_keys(location: str, role: str, valid_s: int, name: str) -> LentKeys:
    """Get keys from the bucket's server that read one folder only (STS, AssumeRole).

    Parameters
    ----------
    location
        URL of the folder.
    role
        Name (ARN) of a role that may read the bucket, and that this process may take on; what the
        keys may do is cut to reading and listing the folder.
    valid_s
        Seconds that they hold; at least 900, as servers want it.
    name
        What the server's log calls who uses them.

    Raises
    ------
    StoreError
        The server gives none.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    endpoint, bucket, prefix = split_bucket(location.rstrip("/"))
    client = s3_client(endpoint)
    asking = _sts_client(client)
    lasts = max(valid_s, _LEAST_S)
    asked = {"RoleArn": role, "RoleSessionName": name, "DurationSeconds": lasts}
    try:
        told = asking.assume_role(**asked, Policy=_policy(bucket, prefix))["Credentials"]
    except (BotoCoreError, ClientError) as error:  # its text may name accounts
        raise StoreError(
            f"the bucket's server lends no keys: {_word(error)}",
            where=client.meta.endpoint_url,
            next_step="check HSC_STS_ROLE, and whether the server's own keys may take it on",
        ) from None
    finally:
        asking.close()
    keys = Credentials(
        told["AccessKeyId"], told["SecretAccessKey"], told["SessionToken"], told["Expiration"]
    )
    return LentKeys(keys, client.meta.endpoint_url, client.meta.region_name, bucket, prefix)


def _word(error: Exception) -> str:
    told = getattr(error, "response", {})
    return str(told.get("Error", {}).get("Code") or type(error).__name__)


def _sts_client(client: Any) -> Any:
    import botocore.session

    used = used_credentials(client)
    server = client.meta.endpoint_url
    own = (
        {}
        if used is None
        else {
            "aws_access_key_id": used.access_key,
            "aws_secret_access_key": used.secret_key,
            "aws_session_token": used.session_token,
        }
    )
    return botocore.session.Session().create_client(
        "sts",
        region_name=client.meta.region_name,
        # Amazon has a server of its own for this; others have one for all.
        endpoint_url=None if server.endswith(".amazonaws.com") else server,
        **own,
    )


def _policy(bucket: str, prefix: str) -> str:
    """Word that one folder may be read and listed, and nothing else."""
    # A star or a question mark in a name would stand for others too.
    if any(sign in prefix for sign in "*?${}"):
        raise StoreError(
            "keys can't be lent for a folder of such a name", where=f"s3://{bucket}/{prefix}"
        )
    read = {
        "Effect": "Allow",
        "Action": ["s3:GetObject"],
        "Resource": [f"arn:aws:s3:::{bucket}/{prefix}/*"],
    }
    listed = {
        "Effect": "Allow",
        "Action": ["s3:ListBucket"],
        "Resource": [f"arn:aws:s3:::{bucket}"],
        "Condition": {"StringLike": {"s3:prefix": [f"{prefix}/*"]}},
    }
    # Without blanks: Ceph reads the plus signs that they become on the way as plus signs.
    document = {"Version": "2012-10-17", "Statement": [read, listed]}
    return json.dumps(document, separators=(",", ":"))
