"""Credentials of a server: asked for where they are used, kept in memory, never sent along."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from hsc.errors import ConfigurationError, HscError, StoreError
from hsc.store.origins import origin_of

GROUP = "hsc.credentials"
"""Entry points of installed packages, each a function from an origin to its provider, or None."""

_EARLY_S = 60.0  # before they expire they are asked for anew
_AT_MOST_EVERY_S = 5.0  # by which short-lived ones are not asked for at each request


@dataclass(frozen=True, slots=True)
class Credentials:
    """What requests to one server are signed with. They are not shown and can't be pickled."""

    access_key: str = field(repr=False)
    """Names the account, or the session of one."""
    secret_key: str = field(repr=False)
    """Signs."""
    session_token: str | None = field(default=None, repr=False)
    """Goes with temporary keys; None for lasting ones."""
    expires: datetime | None = field(default=None, compare=False)
    """When they end, with its time zone; None: not by themselves."""

    def __post_init__(self) -> None:
        if self.expires is not None and self.expires.tzinfo is None:
            raise ConfigurationError(
                f"credentials expire at {self.expires}, in no time zone",
                next_step="give the time in UTC: datetime(..., tzinfo=UTC)",
            )

    def __reduce_ex__(self, protocol: object) -> Any:
        raise ConfigurationError(
            "credentials are not pickled",
            next_step="bind a provider where they are used: hsc.store.bind_credentials",
        )


Provider = Callable[[], Credentials]
"""Gives credentials that hold now; asked again before they expire, and when a server says that
they have."""


class BoundCredentials:
    """The credentials of an origin, asked for again in time.

    Parameters
    ----------
    origin
        The server that they are for, and no other.
    provider
        Gives them.
    """

    def __init__(self, origin: str, provider: Provider) -> None:
        self.origin = origin
        self._provider = provider
        self._lock = threading.Lock()
        self._current: Credentials | None = None
        self._asked = 0.0

    def current(self) -> Credentials:
        """Give credentials that hold now.

        Raises
        ------
        StoreError
            The provider failed, or gave some that have expired.
        """
        with self._lock:
            return self._ask() if self._current is None or self._ends_soon() else self._current

    def renew(self, refused: Credentials) -> bool:
        """Tell whether there are others than those that the server refused; ask if need be."""
        with self._lock:
            if self._current is None or self._current == refused:
                self._ask()
            return self._current != refused

    def _ends_soon(self) -> bool:
        left = _left_s(self._current)
        asked = time.monotonic() - self._asked
        return left < 0 or (left < _EARLY_S and asked > _AT_MOST_EVERY_S)

    def _ask(self) -> Credentials:
        try:
            given = self._provider()
        except HscError:
            raise
        except Exception as error:  # its text may hold what nobody should read
            raise StoreError(
                f"the provider of credentials failed: {type(error).__name__}",
                where=self.origin,
                next_step="mend what was given to hsc.store.bind_credentials, or installed under "
                f"the entry points {GROUP}",
            ) from None
        if _left_s(given) < 0:
            raise StoreError(
                f"the provider of credentials gave some that expired at {given.expires}",
                where=self.origin,
                next_step="sign in again where they come from, and check this machine's clock",
            )
        self._current, self._asked = given, time.monotonic()
        return given


def _left_s(credentials: Credentials | None) -> float:
    if credentials is None or credentials.expires is None:
        return float("inf")
    return (credentials.expires - datetime.now(UTC)).total_seconds()


_lock = threading.Lock()
_bound: dict[str, BoundCredentials | None] = {}


def bind_credentials(origin: str, provider: Provider) -> None:
    """Let a provider answer for a server's credentials, in this process.

    They are sent to that origin alone: other hosts, ports and schemes never see them. Bound
    credentials go before those of the environment.

    Parameters
    ----------
    origin
        URL of the server, as in ``https://s3.example.org``; a path behind it says nothing.
    provider
        Gives them.

    Raises
    ------
    ConfigurationError
        The URL names no server.
    """
    named = origin_of(origin)
    with _lock:
        _bound[named] = BoundCredentials(named, provider)


def unbind_credentials(origin: str) -> None:
    """Forget what was bound to an origin."""
    with _lock:
        _bound.pop(origin_of(origin), None)


def bound_credentials(origin: str) -> BoundCredentials | None:
    """Give what is bound to an origin, by this process or by an installed package."""
    with _lock:
        if origin not in _bound:
            _bound[origin] = _installed(origin)
        return _bound[origin]


def any_bound() -> bool:
    """Tell whether anything is bound to any origin, or may be."""
    return any(_bound.values()) or bool(_points())


@cache
def _points() -> tuple[EntryPoint, ...]:
    return tuple(entry_points(group=GROUP))


def _installed(origin: str) -> BoundCredentials | None:
    for point in _points():
        provider: Provider | None = point.load()(origin)
        if provider is not None:
            return BoundCredentials(origin, provider)
    return None


def _begin_anew() -> None:
    # Another thread may hold the lock while this process is forked.
    global _lock  # noqa: PLW0603 (a lock of the parent can't be let go here)
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
