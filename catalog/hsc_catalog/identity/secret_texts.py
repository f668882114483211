"""Texts that open something: made from 256 random bits, shown once, kept as a hash."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from typing import Self

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_ID_LETTERS = 12
_SECRET_BYTES = 32
_FORM = re.compile(r"(hsc|hscr)_([a-z2-7]{12})_([A-Za-z0-9_-]{43})")
# What an unknown id is held against, so that it takes as long as a known one.
_NOTHING = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True)
class SecretText:
    """An id to look up, and a secret that proves who holds it.

    Examples
    --------
    >>> made = SecretText.new("hsc")
    >>> SecretText.read(made.reveal(), "hsc") == made, made.secret in repr(made)
    (True, False)
    >>> SecretText.read("hsc_short", "hsc") is None
    True
    """

    kind: str
    """``hsc``: an API token; ``hscr``: a reviewer link."""
    id: str
    """Twelve letters and digits, no secret."""
    secret: str = field(repr=False)
    """256 random bits in 43 letters."""

    @classmethod
    def new(cls, kind: str) -> Self:
        """Make one that nobody has seen."""
        made = "".join(secrets.choice(_ALPHABET) for _ in range(_ID_LETTERS))
        return cls(kind, made, secrets.token_urlsafe(_SECRET_BYTES))

    @classmethod
    def read(cls, text: str, kind: str) -> Self | None:
        """Take one apart; None: it is no text of that kind."""
        found = _FORM.fullmatch(text)
        return cls(found[1], found[2], found[3]) if found and found[1] == kind else None

    def reveal(self) -> str:
        """Give the whole text, secret included: for its holder, once."""
        return f"{self.kind}_{self.id}_{self.secret}"

    @property
    def digest(self) -> str:
        """SHA-256 of the whole text, as it is kept.

        No salt and no slow hash: what is hashed has 256 random bits, which nobody can guess.
        """
        return hashlib.sha256(self.reveal().encode("ascii")).hexdigest()

    def matches(self, kept: str | None) -> bool:
        """Tell whether this is what was kept, in the same time for any, None included."""
        return hmac.compare_digest(self.digest, kept or _NOTHING) and kept is not None
