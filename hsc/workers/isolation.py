"""Calls in a child process, which a bad file may crash, fill or hold up; the caller lives on.

The child is started by exec, never by fork; it gets no secrets, neither in its environment nor in
what it is sent. It bounds damage by accident. It is no prison for a program: code that a file
smuggles in through a hole in HDF5 still runs as the user.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from hsc.workers.children import Child, Limits, borrow, give_back

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Isolation:
    """That a file is read in a child process, and what that may take."""

    subject: str
    """The file or run. A child reads no other: what one file breaks in it, another never meets."""
    limits: Limits = field(default_factory=Limits)
    """What the child may take."""
    library: str = "HDF5"
    """What works there, for the error if it crashes."""

    @contextmanager
    def child(self) -> Iterator[Child]:
        """Have one child for several calls."""
        child = borrow(self.subject, self.limits, self.library)
        try:
            yield child
        finally:
            give_back(child)

    def call_once(self, function: Callable[..., R], *args: Any, doing: str) -> R:
        """Call a function as `call` does, in a child that ends with it and frees its memory."""
        child = borrow(self.subject, self.limits, self.library)
        try:
            return child.call(function, *args, doing=doing)
        finally:
            give_back(child, keep=False)

    def call(self, function: Callable[..., R], *args: Any, doing: str) -> R:
        """Call a function that a module has, in a child.

        Parameters
        ----------
        function
            Found by its name in the child, so no lambda and no method.
        *args
            Sent as a pickle.
        doing
            What it does, for the error if it never comes back: ``reading /entry/data``.

        Raises
        ------
        SourceCrashError, SourceTooLargeError, SourceTooSlowError
            The child crashed, or met a limit.
        """
        with self.child() as child:
            return child.call(function, *args, doing=doing)


class Isolated(Generic[R]):
    """A function that runs in a child process wherever it is called; a pickle carries it."""

    def __init__(self, function: Callable[..., R], isolation: Isolation, doing: str) -> None:
        self._function = function
        self._isolation = isolation
        self._doing = doing

    def __call__(self, *args: Any) -> R:
        """Call the function in a child."""
        return self._isolation.call(self._function, *args, doing=self._doing)


def isolated(function: Callable[..., R], isolation: Isolation, *, doing: str) -> Isolated[R]:
    """Give a function that does the same in a child process, see `Isolation.call`."""
    return Isolated(function, isolation, doing)
