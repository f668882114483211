"""Limits on how often, how much and how wrongly somebody asks; in memory, of one process."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from hsc.errors import TooManyRequestsError

Seconds = Callable[[], float]
"""Gives seconds that only go forward."""


@dataclass(frozen=True)
class Rate:
    """How often something may happen."""

    burst: float
    """How often at once."""
    per_s: float
    """How often each second for as long as one likes."""


class Buckets:
    """Token buckets, one for each key, at most so many; the longest unused ones are forgotten.

    A forgotten bucket begins full: a flood of new keys makes the memory forgetful, never large.

    Parameters
    ----------
    rate
        How often each key may ask.
    most_keys
        How many keys to remember.
    clock
        Gives seconds; a parameter for tests.

    Examples
    --------
    >>> buckets = Buckets(Rate(burst=2, per_s=0.5), clock=lambda: 0.0)
    >>> [buckets.take("anna") for _ in range(3)]
    [0.0, 0.0, 2.0]
    """

    def __init__(
        self, rate: Rate, *, most_keys: int = 10_000, clock: Seconds = time.monotonic
    ) -> None:
        self._rate = rate
        self._most_keys = most_keys
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, cost: float = 1.0) -> float:
        """Take from a key's bucket; give 0, or the seconds to wait when there is not enough."""
        with self._lock:
            level, at = self._level(key)
            missing = cost - level
            if missing <= 0:
                self._keep(key, -missing, at)
                return 0.0
            self._keep(key, level, at)
            return missing / self._rate.per_s if self._rate.per_s > 0 else float("inf")

    def wait_s(self, key: str, cost: float = 1.0) -> float:
        """Give the seconds to wait before a key could take, and take nothing."""
        with self._lock:
            missing = cost - self._level(key)[0]
        return max(missing, 0.0) / self._rate.per_s if missing > 0 else 0.0

    def give_back(self, key: str, cost: float = 1.0) -> None:
        """Put back what a key took."""
        with self._lock:
            level, at = self._level(key)
            self._keep(key, min(self._rate.burst, level + cost), at)

    def refill(self, key: str) -> None:
        """Forget what a key took."""
        with self._lock:
            self._kept.pop(key, None)

    def __len__(self) -> int:
        return len(self._kept)

    def _level(self, key: str) -> tuple[float, float]:
        now = self._clock()
        level, at = self._kept.get(key, (self._rate.burst, now))
        return min(self._rate.burst, level + (now - at) * self._rate.per_s), now

    def _keep(self, key: str, level: float, at: float) -> None:
        self._kept[key] = (level, at)
        self._kept.move_to_end(key)
        while len(self._kept) > self._most_keys:
            self._kept.popitem(last=False)


OBJECTS = Rate(burst=5000, per_s=1000)
"""How often objects are read when nobody says otherwise."""


class RequestLimit:
    """How often one caller and one address may ask.

    Parameters
    ----------
    caller, address
        The rates; an address may have many callers behind it.
    clock
        Gives seconds; a parameter for tests.
    objects
        The rate of reading objects, of a caller and of an address: opening one dataset asks for
        hundreds of ranges, and takes nothing from the other rates.
    """

    def __init__(
        self,
        caller: Rate,
        address: Rate,
        clock: Seconds = time.monotonic,
        *,
        objects: Rate = OBJECTS,
    ) -> None:
        self._callers = (Buckets(caller, clock=clock), Buckets(objects, clock=clock))
        self._addresses = (Buckets(address, clock=clock), Buckets(objects, clock=clock))

    def admit_address(self, address: str, *, objects: bool = False) -> None:
        """Count a request from an address, before anything is done for it.

        Raises
        ------
        TooManyRequestsError
            It asks too often.
        """
        wait_s = self._addresses[objects].take(network(address))
        _refuse_after(wait_s, "this address asks too often")

    def admit_caller(self, subject: str | None, *, objects: bool = False) -> None:
        """Count a request of a caller who is known; None, the anonymous, is counted by address.

        Raises
        ------
        TooManyRequestsError
            They ask too often.
        """
        if subject is not None:
            _refuse_after(self._callers[objects].take(subject), "you ask too often")


class LoginThrottle:
    """Slows down whoever guesses passwords; who knows theirs is not kept out from elsewhere.

    Wrong passwords are counted for a name from an address, for an address, and, more leniently,
    for a name from anywhere.
    """

    def __init__(self, clock: Seconds = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._pair = Buckets(Rate(5, 1 / 60), clock=clock)
        self._address = Buckets(Rate(30, 1 / 10), clock=clock)
        self._name = Buckets(Rate(100, 1 / 10), clock=clock)

    def admit(self, name: str, address: str) -> None:
        """Let a try go on; each counts as wrong until `succeeded` says otherwise.

        Raises
        ------
        TooManyRequestsError
            There were too many wrong ones.
        """
        kept = self._kept(name, address)
        with self._lock:
            wait_s = max(buckets.wait_s(key) for buckets, key in kept)
            _refuse_after(wait_s, "too many wrong passwords")
            for buckets, key in kept:
                buckets.take(key)

    def succeeded(self, name: str, address: str) -> None:
        """Forget the wrong ones of this name from this address; others stay counted."""
        pair, *others = self._kept(name, address)
        pair[0].refill(pair[1])
        for buckets, key in others:
            buckets.give_back(key)

    def _kept(self, name: str, address: str) -> tuple[tuple[Buckets, str], ...]:
        near, folded = network(address), name.casefold()[:255]
        return (
            (self._pair, f"{near} {folded}"),
            (self._address, near),
            (self._name, folded),
        )


def network(address: str) -> str:
    """Give what stands for an address: for IPv6 its /64, which one household has all of.

    Examples
    --------
    >>> network("192.0.2.7"), network("2001:db8:1:2:3:4:5:6"), network("::ffff:192.0.2.7")
    ('192.0.2.7', '2001:db8:1:2::/64', '192.0.2.7')
    """
    try:
        read = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(read, ipaddress.IPv4Address):
        return str(read)
    if read.ipv4_mapped is not None:
        return str(read.ipv4_mapped)
    return str(ipaddress.ip_network((read.packed[:8] + bytes(8), 64)))


def _refuse_after(wait_s: float, why: str) -> None:
    if wait_s > 0:
        error = TooManyRequestsError(why, next_step=f"wait {max(1, round(wait_s))} s")
        error.retry_after_s = wait_s
        raise error
