"""One tree of errors: what is wrong, where, and what to do next.

::

    HscError
    ├── ConfigurationError (ValueError)        an environment variable or option has a wrong value
    ├── InvalidPidError (ValueError)           text that is no PID
    ├── InvalidQueryError (ValueError)         a search condition that can't be read
    ├── DependencyMissingError (ImportError)   a part that this installation was made without
    ├── SourceError
    │   ├── SourceMissingError (FileNotFoundError)   no such file
    │   ├── NotHdf5Error (ValueError)                 a file of another kind
    │   ├── DamagedSourceError (OSError)              truncated or corrupt HDF5
    │   ├── SourceBusyError                           still flagged as open for writing
    │   ├── SplitFileError                            one part of a file that a driver split
    │   ├── SourceChangedError                        changed while it was read
    │   ├── IncompleteRunError                        a file of the run is missing
    │   ├── LayoutError (ValueError)                  the files are not arranged as the layout says
    │   ├── UnsupportedObjectError                    objects that can't be carried over yet
    │   ├── SourceCrashError                          HDF5 crashed on it, in a process of its own
    │   ├── SourceTooLargeError (MemoryError)         reading it takes more memory than it may
    │   └── SourceTooSlowError (TimeoutError)         reading it takes more time than it may
    ├── StoreError
    │   ├── StoreUnwritableError (PermissionError)
    │   ├── StoreFullError (OSError)                  no room for what is to be written
    │   ├── StoreUnavailableError (ConnectionError)   it did not answer for as long as was waited
    │   ├── LocationRefusedError (PermissionError)    a catalog names what it may not name
    │   ├── RedirectRefusedError                      a server sends us to another one
    │   ├── ObjectMissingError (FileNotFoundError)
    │   ├── ObjectExistsError (FileExistsError)
    │   ├── IngestInProgressError                     somebody else is at the same source
    │   ├── FormatVersionError                        written by a newer hsc
    │   ├── GapError                                  a chunk that the source could not give
    │   ├── ArchivedError                             on tape or the like: to be asked for first
    │   └── DamageError
    │       ├── MissingShardError                     listed in the manifest, absent in the store
    │       ├── CorruptShardError                     present, but not the bytes that were written
    │       └── ManifestError                         the manifest itself is absent or damaged
    ├── WorkerError
    │   ├── WorkerUnfitError                      sees no source or store, or runs other versions
    │   ├── WorkersLostError                      workers died, or their scheduler went away
    │   └── WorkStoppedError                      ended, because other work failed or was stopped
    ├── VerificationError                      what was written differs from the source
    ├── PathMissingError (KeyError)            an opened dataset has nothing at that path
    ├── SelectionError (IndexError)            a part that an array does not have
    ├── CatalogError
    │   ├── CatalogUnavailableError (ConnectionError)
    │   ├── CatalogOutdatedError                      of an older release, to be upgraded first
    │   ├── CatalogDamagedError                       what it holds was changed from outside, or lost
    │   ├── DatasetNotFoundError (KeyError)
    │   ├── ActivityNotFoundError (KeyError)
    │   └── ConflictError
    ├── ReductionError
    │   ├── UnknownReductionError (KeyError)
    │   ├── ParameterError (ValueError)               a parameter missing or impossible
    │   └── RoleMissingError (KeyError)               the dataset has no array for that role
    ├── FlowError                              the Prefect side failed
    └── OutputError (OSError)                  stdout takes no answer
"""

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
    """A text is not of the form ``<prefix>/<ULID>`` or ``<prefix>/<ULID>@<version>``."""


class InvalidQueryError(HscError, ValueError):
    """A search condition can't be read, or its unit is unknown."""


class DependencyMissingError(HscError, ImportError):
    """A command needs a part that this installation was made without."""


class SourceError(HscError):
    """Something is wrong with the files to take in."""


class SourceMissingError(SourceError, FileNotFoundError):
    """A path does not exist or can't be read."""


class NotHdf5Error(SourceError, ValueError):
    """A file is not HDF5."""


class DamagedSourceError(SourceError, OSError):
    """A file begins like HDF5 but is truncated or corrupt."""


class SourceBusyError(SourceError):
    """A file is still flagged as open for writing: its writer is at it, or died."""


class SplitFileError(SourceError):
    """A file is one of several that a driver of HDF5 (family, multi, split) wrote."""


class SourceChangedError(SourceError):
    """A file changed while it was being read."""


class IncompleteRunError(SourceError):
    """A file that belongs to the run is missing."""


class LayoutError(SourceError, ValueError):
    """Files are not arranged as their layout says."""


class UnsupportedObjectError(SourceError):
    """Objects of the file can't be carried over exactly by this release."""


class SourceCrashError(SourceError):
    """HDF5 crashed in the child process that read a file; the program that asked lives on."""


class SourceTooLargeError(SourceError, MemoryError):
    """Reading a file takes more memory than the child process that reads it may have."""


class SourceTooSlowError(SourceError, TimeoutError):
    """Reading a file takes more time than the child process that reads it may have."""


class StoreError(HscError):
    """Something is wrong with where the bytes live."""


class StoreUnwritableError(StoreError, PermissionError):
    """The store does not take writes."""


class StoreFullError(StoreError, OSError):
    """The store has no room, or no quota left, for what is to be written."""


class StoreUnavailableError(StoreError, ConnectionError):
    """The store did not answer, or answered that it can't now, for as long as was waited."""


class LocationRefusedError(StoreError, PermissionError):
    """A catalog elsewhere names a location that only the user may name."""


class RedirectRefusedError(StoreError):
    """A server answered with the address of another one, which is not followed."""


class ObjectMissingError(StoreError, FileNotFoundError):
    """There is no object under a key."""


class ObjectExistsError(StoreError, FileExistsError):
    """An object under a key was there first."""


class IngestInProgressError(StoreError):
    """The same source is being ingested by somebody else."""


class FormatVersionError(StoreError):
    """The dataset was written in a newer format than this release knows."""


class GapError(StoreError):
    """A chunk is a gap: it could not be carried over, and its dataset says so."""


class ArchivedError(StoreError):
    """All replicas of a dataset that could be read lie in an archive: ask for one first."""


class DamageError(StoreError):
    """Stored bytes are not what was committed."""


class MissingShardError(DamageError):
    """The manifest lists an object that the store does not have."""


class CorruptShardError(DamageError):
    """An object's size, checksum or digest is not the manifest's."""


class ManifestError(DamageError):
    """The manifest is absent or damaged."""


class WorkerError(HscError):
    """Something is wrong with where work runs."""


class WorkerUnfitError(WorkerError):
    """A worker does not see the source or the store, or runs other versions."""


class WorkersLostError(WorkerError):
    """Workers died with their tasks, or their scheduler can't be reached any more."""


class WorkStoppedError(WorkerError):
    """Work was ended, because other work failed or its user stopped it."""


class VerificationError(HscError):
    """What was written differs from the source."""


class PathMissingError(HscError, KeyError):
    """An opened dataset has nothing at a path, or a link there leads out of it."""

    __str__ = HscError.__str__


class SelectionError(HscError, IndexError):
    """A selection does not fit the array that it was asked of."""


class CatalogError(HscError):
    """Something is wrong with the catalog."""


class CatalogUnavailableError(CatalogError, ConnectionError):
    """The catalog can't be opened or reached."""


class CatalogOutdatedError(CatalogError):
    """The catalog has the tables of an older release, and its operator must upgrade it."""


class CatalogDamagedError(CatalogError):
    """What the catalog holds does not agree with itself: it was changed from outside, or lost."""


class DatasetNotFoundError(CatalogError, KeyError):
    """No dataset with that PID is visible to the caller."""

    __str__ = HscError.__str__


class ActivityNotFoundError(CatalogError, KeyError):
    """The catalog has no such activity, or does not show it to who asks."""

    __str__ = HscError.__str__


class ConflictError(CatalogError):
    """A record with the same identity and other content is there already."""


class ReductionError(HscError):
    """A reduction can't be run as asked."""


class UnknownReductionError(ReductionError, KeyError):
    """There is no reduction of that name."""

    __str__ = HscError.__str__


class ParameterError(ReductionError, ValueError):
    """A reduction's parameter is missing or impossible."""


class RoleMissingError(ReductionError, KeyError):
    """A dataset has no array for a role that the reduction needs."""

    __str__ = HscError.__str__


class FlowError(HscError):
    """A Prefect flow or its server failed."""


class OutputError(HscError, OSError):
    """An answer can't be written to stdout: its disk is full, or nobody reads it any more."""

    __str__ = HscError.__str__
