"""Work that others' compiled code does, which keeps Ctrl-C to itself."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_LISTEN_S = 0.1


def beside(work: Callable[[], T]) -> T:
    """Do work in a thread of its own, so that the main one hears Ctrl-C meanwhile.

    An exception that a signal raises within a Cython function without one of its own is printed
    and forgotten: freesas goes on. Left alone, the thread ends with its work, or the program.

    Raises
    ------
    KeyboardInterrupt
        Somebody pressed Ctrl-C.

    Examples
    --------
    >>> beside(lambda: 6 * 7)
    42
    """
    if threading.current_thread() is not threading.main_thread():  # which hears no signals
        return work()
    made: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            made.append(work())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, name="p(r)", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_LISTEN_S)
    if failed:
        raise failed[0]
    return made[0]
