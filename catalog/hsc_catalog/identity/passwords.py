"""Hashing passwords with scrypt, and holding one against its hash."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import threading
import unicodedata
from dataclasses import dataclass, field
from typing import Self

from hsc.errors import ConfigurationError

# OWASP's password storage cheat sheet: scrypt with N=2^15, r=8, p=3; about 32 MiB for each.
_LOG_N, _R, _P = 15, 8, 3
_SALT_BYTES, _DIGEST_BYTES = 16, 32
_LONGEST = 1024  # letters of a password
_MOST_MEMORY = 256 * 2**20  # bytes
_FORM = re.compile(
    r"\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{16,88})\$([A-Za-z0-9+/]{40,88})"
)
# Each takes tens of megabytes: callers wait here, so that many at once can't take all there is.
_ROOM = threading.BoundedSemaphore(2)


@dataclass(frozen=True)
class PasswordHash:
    """A password's scrypt hash, with what it was made by.

    Examples
    --------
    >>> kept = PasswordHash.of("correct horse", log_n=10)
    >>> kept.holds("correct horse"), kept.holds("correct h0rse")
    (True, False)
    >>> PasswordHash.read(str(kept)) == kept
    True
    """

    log_n: int
    """Cost: scrypt's N is 2 to this power."""
    r: int
    """Scrypt's block size."""
    p: int
    """Scrypt's parallelism."""
    salt: bytes = field(repr=False)
    """Random bytes."""
    digest: bytes = field(repr=False)
    """What scrypt made of the password."""

    @classmethod
    def of(cls, password: str, *, log_n: int = _LOG_N) -> Self:
        """Hash a password with a new salt."""
        salt = secrets.token_bytes(_SALT_BYTES)
        return cls(log_n, _R, _P, salt, _scrypt(password, salt, log_n, _R, _P, _DIGEST_BYTES))

    @classmethod
    def read(cls, text: str, where: str = "") -> Self:
        """Read a hash as ``hsc account hash`` prints it.

        Raises
        ------
        ConfigurationError
            It is none, or takes more memory than a sign-in may. The text is not repeated.
        """
        found = _FORM.fullmatch(text)
        if found is not None:
            log_n, r, p = (int(found[i]) for i in (1, 2, 3))
            if 10 <= log_n <= 20 and 1 <= p <= 16 and 0 < 128 * r * 2**log_n <= _MOST_MEMORY:
                salt, digest = _unpack(found[4]), _unpack(found[5])
                if salt and len(digest or b"") >= _DIGEST_BYTES:
                    return cls(log_n, r, p, salt, digest or b"")
        raise ConfigurationError(
            "a password hash can't be read",
            where=where,
            next_step="make it with `hsc account hash`, and copy the whole line",
        )

    def __str__(self) -> str:
        cost = f"ln={self.log_n},r={self.r},p={self.p}"
        return f"$scrypt${cost}${_pack(self.salt)}${_pack(self.digest)}"

    def holds(self, password: str) -> bool:
        """Tell whether a password is the one, in the same time for any."""
        made = _scrypt(password, self.salt, self.log_n, self.r, self.p, len(self.digest))
        return hmac.compare_digest(made, self.digest)


def _scrypt(password: str, salt: bytes, log_n: int, r: int, p: int, size: int) -> bytes:
    # The same letters typed on two machines may be composed differently (RFC 8265, section 4).
    spelled = unicodedata.normalize("NFC", password)[:_LONGEST].encode("utf-8", "surrogateescape")
    n = 2**log_n
    with _ROOM:
        return hashlib.scrypt(
            spelled, salt=salt, n=n, r=r, p=p, maxmem=128 * r * (n + p) + 2**20, dklen=size
        )


def _pack(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii").rstrip("=")


def _unpack(text: str) -> bytes | None:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        return None
