"""A bound on the memory of tasks that run at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from hsc.errors import ConfigurationError


class MemoryBudget:
    """Lets tasks begin while what they need together stays below a bound; first come, first served.

    Parameters
    ----------
    nbytes
        The bound; None: there is none.
    """

    def __init__(self, nbytes: int | None) -> None:
        self._bounded = nbytes is not None
        self._free = nbytes or 0
        self._turn = threading.Condition()
        self._waiting: list[object] = []

    @contextmanager
    def taking(self, need: int) -> Iterator[None]:
        """Hold so many bytes of the budget for as long as the block runs, once they are free."""
        if not self._bounded:
            yield
            return
        me = object()
        with self._turn:
            self._waiting.append(me)
            # In turn, or many small tasks would keep a large one out for ever.
            self._turn.wait_for(lambda: self._waiting[0] is me and self._free >= need)
            self._waiting.pop(0)
            self._free -= need
            self._turn.notify_all()
        try:
            yield
        finally:
            with self._turn:
                self._free += need
                self._turn.notify_all()


def check_needs(needs: Sequence[int], memory: int | None) -> None:
    """Refuse a bound that a single task is too large for.

    Raises
    ------
    ConfigurationError
        Saying how much is needed.
    """
    most = max(needs, default=0)
    if memory is not None and most > memory:
        megabytes = -(-most // 10**6)
        raise ConfigurationError(
            f"{memory / 1e6:.0f} MB of memory are too little: the largest shard takes "
            f"{megabytes} MB while it is made",
            next_step=f"allow at least --memory {megabytes}MB",
        )
