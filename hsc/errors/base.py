"""The error that all are, and those that belong to no one part of the house."""

from __future__ import annotations


class HscError(Exception):
    """Base of every error that hsc raises on purpose.

    Parameters
    ----------
    message
        What is wrong, with the value.
    where
        The file, HDF5 path, chunk, PID or address it is about; empty when the message says it.
    next_step
        What the reader can do now; empty when there is nothing sensible to say.
    """

    # Tracebacks and pickles name every error by the front door, where users import it from.
    __module__ = "hsc.errors"

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if cls.__module__.startswith("hsc.errors."):
            cls.__module__ = "hsc.errors"

    exit_code = 1

    def __init__(self, message: str, *, where: str = "", next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.next_step = next_step

    def __str__(self) -> str:
        parts = [self.message]
        if self.where:
            parts.append(f"  where: {self.where}")
        if self.next_step:
            parts.append(f"  next:  {self.next_step}")
        return "\n".join(parts)

    def __reduce__(self) -> tuple[object, ...]:
        # Errors travel back from worker processes; keyword facts must survive the pickle.
        return (_rebuild, (type(self), self.message, self.where, self.next_step))

    def document(self) -> dict[str, str]:
        """Give the error as it stands in a ``--json`` answer."""
        facts = {"message": self.message, "where": self.where, "next": self.next_step}
        # File names that are no UTF-8 come as lone surrogates, which JSON and catalogs refuse.
        worded = {
            name: text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
            for name, text in facts.items()
        }
        return {"error": type(self).__name__, **worded}


def _rebuild(kind: type[HscError], message: str, where: str, next_step: str) -> HscError:
    return kind(message, where=where, next_step=next_step)


class ConfigurationError(HscError, ValueError):
    """An environment variable, option or settings file has a value that can't be used."""


class InvalidPidError(HscError, ValueError):
    """A text is not of the form ``<prefix>/<suffix>`` or ``<prefix>/<suffix>@<version>``."""


class InvalidQueryError(HscError, ValueError):
    """A search condition can't be read, or its unit is unknown."""


class DependencyMissingError(HscError, ImportError):
    """A command needs a part that this installation was made without."""


class VerificationError(HscError):
    """What was written differs from the source."""


class PathMissingError(HscError, KeyError):
    """An opened dataset has nothing at a path, or a link there leads out of it."""

    __str__ = HscError.__str__


class SelectionError(HscError, IndexError):
    """A selection does not fit the array that it was asked of."""


class FlowError(HscError):
    """A Prefect flow or its server failed."""


class OutputError(HscError, OSError):
    """An answer can't be written to stdout: its disk is full, or nobody reads it any more."""

    __str__ = HscError.__str__
