"""What the environment says: HSC_HOME, HSC_STORE, HSC_CATALOG, HSC_DASK, HSC_FACILITY and others.

Read at the call, never at import, so that a test or a notebook may change them.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import platformdirs

from hsc.errors import ConfigurationError

_SCHEDULER = re.compile(
    r"(?:(?:tls|wss)://[^/:]+(?::[0-9a-fA-F:]+\])?|(?:tcp|ws)://(?:127\.0\.0\.1|localhost|\[::1\]))"
    r":[0-9]{1,5}"
)
_UNENCRYPTED = re.compile(r"(?:tcp|ws)://(?:[^/:@]+|\[[0-9a-fA-F:]+\]):[0-9]{1,5}")
_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_UNITS |= {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
_AMOUNT = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[kKMGT]?i?)B?", re.ASCII)
_CACHE_BYTES = 10**10
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://")
# An S3 key may hold a slash, behind which nothing looks like credentials any more: "s3://key:x/y@b".
_WITH_CREDENTIALS = re.compile(r"(?!file:)[^:]+://[^/]*@|s3a?://[^/]*:")


def home() -> Path:
    """Give the state directory: ``HSC_HOME``, by default the platform's user data directory."""
    text = os.environ.get("HSC_HOME")
    if not text:
        return Path(platformdirs.user_data_dir("hsc", appauthor=False))
    path = Path(text).expanduser()
    if path.exists() and not path.is_dir():
        raise ConfigurationError(
            f"HSC_HOME={text!r} is a file",
            next_step="name a directory, or leave HSC_HOME unset",
        )
    return path.absolute()


def store_url() -> str:
    """Give the store's URL: ``HSC_STORE``, by default ``file://$HSC_HOME/store``."""
    text = os.environ.get("HSC_STORE")
    if not text:
        return (home() / "store").as_uri()
    if text.startswith("memory:"):
        raise ConfigurationError(
            f"HSC_STORE={text!r} would forget every dataset when the command ends",
            next_step="name a place that stays, as in file:///data/hsc or s3://bucket/prefix",
        )
    if _WITH_CREDENTIALS.match(text):  # here, before an activity or a message repeats it
        raise ConfigurationError(
            "HSC_STORE must not carry credentials",
            next_step="write it like s3://bucket/prefix, and put them into the environment "
            "(AWS_ACCESS_KEY_ID and the like)",
        )
    return _url("HSC_STORE", text, "file:///data/hsc or s3://bucket/prefix")


def catalog_url() -> str:
    """Give the catalog's URL: ``HSC_CATALOG``, by default SQLite under ``HSC_HOME``."""
    text = os.environ.get("HSC_CATALOG")
    if not text:
        return f"sqlite:///{home() / 'catalog.sqlite'}"
    return _url(
        "HSC_CATALOG", text, "sqlite:////data/catalog.sqlite or postgresql://account@host/database"
    )


def catalog_named() -> bool:
    """Tell whether ``HSC_CATALOG`` names a catalog."""
    return bool(os.environ.get("HSC_CATALOG"))


def delivered_stores() -> tuple[str, ...]:
    """Give the stores whose versions a catalog's server delivers.

    URLs in ``HSC_DELIVER``, with blanks between them; by default the one of ``HSC_STORE``.
    """
    text = os.environ.get("HSC_DELIVER")
    if text is None:
        return (store_url(),)
    return tuple(_url("HSC_DELIVER", each, "s3://bucket/prefix") for each in text.split())


def sts_role() -> str | None:
    """Give the role that a catalog's server takes on to lend keys: ``HSC_STS_ROLE``."""
    return os.environ.get("HSC_STS_ROLE") or None


def dask() -> str:
    """Give where work runs: ``threads``, ``processes``, or a scheduler's address."""
    text = os.environ.get("HSC_DASK") or "threads"
    if text in ("threads", "processes") or _SCHEDULER.fullmatch(text):
        return text
    # Whoever reaches such a scheduler runs programs on its workers: a network must be trusted.
    if os.environ.get("HSC_DASK_UNENCRYPTED") == "1" and _UNENCRYPTED.fullmatch(text):
        return text
    raise ConfigurationError(
        f"HSC_DASK={text!r} names no place to work",
        next_step="use 'threads', 'processes', or a scheduler's address such as tls://host:8786; "
        "without TLS only on loopback, as in tcp://127.0.0.1:8786, or with HSC_DASK_UNENCRYPTED=1 "
        "in a network that nobody else is in",
    )


def s3_engine() -> str:
    """Give what reads parts of objects in a bucket: ``auto`` (obstore where it may) or botocore."""
    text = os.environ.get("HSC_S3_ENGINE") or "auto"
    if text not in ("auto", "botocore"):
        raise ConfigurationError(
            f"HSC_S3_ENGINE={text!r} is no engine", next_step="use 'auto' or 'botocore'"
        )
    return text


def facility() -> str | None:
    """Give the facility's short id from ``HSC_FACILITY``; None when unset."""
    return os.environ.get("HSC_FACILITY") or None


def token() -> str | None:
    """Give the catalog token from ``HSC_TOKEN``; None when unset. Never log it."""
    return os.environ.get("HSC_TOKEN") or None


def bare_token() -> bool:
    """Tell whether the token may go unencrypted through a network: ``HSC_TOKEN_UNENCRYPTED=1``."""
    return os.environ.get("HSC_TOKEN_UNENCRYPTED") == "1"


def read_threads() -> int | None:
    """Give how many threads a read uses from ``HSC_READ_THREADS``; None when unset."""
    text = os.environ.get("HSC_READ_THREADS")
    if not text:
        return None
    if not text.isdecimal() or not 1 <= int(text) <= 256:
        raise ConfigurationError(
            f"HSC_READ_THREADS={text!r} is no number of threads",
            next_step="use a number from 1 to 256, or leave it unset",
        )
    return int(text)


def cache_folder() -> Path | None:
    """Give the folder of the cache from ``HSC_CACHE``; None when unset."""
    text = os.environ.get("HSC_CACHE")
    if not text:
        return None
    path = Path(text).expanduser()
    if _SCHEME.match(text) or (path.exists() and not path.is_dir()):
        raise ConfigurationError(
            f"HSC_CACHE={text!r} is no folder",
            next_step="name a folder on a local disk, or leave HSC_CACHE unset",
        )
    return path.absolute()


def cache_nbytes() -> int:
    """Give how many bytes the cache may have: ``HSC_CACHE_SIZE``, by default 10 GB."""
    text = os.environ.get("HSC_CACHE_SIZE")
    if not text:
        return _CACHE_BYTES
    count = amount(text)
    if count is None:
        raise ConfigurationError(
            f"HSC_CACHE_SIZE={text!r} is no amount of bytes",
            next_step="write it like 20GB or 512MiB",
        )
    return count


def amount(text: str) -> int | None:
    """Give the bytes that a text says, as in ``4GB`` or ``1.5 MiB``; None: it is no amount.

    Examples
    --------
    >>> amount("4GB"), amount("1.5 MiB"), amount("4096"), amount("much")
    (4000000000, 1572864, 4096, None)
    """
    found = _AMOUNT.fullmatch(text.strip())
    unit = found["unit"] if found else ""
    unit = "k" if unit == "K" else unit
    if found is None or unit not in _UNITS:
        return None
    return round(float(found["number"]) * _UNITS[unit]) or None


def prefect_url() -> str | None:
    """Give the API of the Prefect server that ``PREFECT_API_URL`` names; None when unset."""
    return os.environ.get("PREFECT_API_URL") or None


def _url(name: str, text: str, example: str) -> str:
    if not _SCHEME.match(text):
        # A password may stand before the last @.
        shown = f"…{text[text.rindex('@') :]}" if "@" in text else text
        raise ConfigurationError(
            f"{name}={shown!r} is not a URL", next_step=f"write it like {example}"
        )
    return text


def scicat_token() -> str | None:
    """Give the token of a SciCat that records are exchanged with; None when unset."""
    return os.environ.get("HSC_SCICAT_TOKEN") or None
