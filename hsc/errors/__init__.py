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
    │   ├── StoreRefusedError (PermissionError)       it does not give it to who asks
    │   ├── RedirectRefusedError                      a server sends us to another one
    │   ├── ObjectMissingError (FileNotFoundError)
    │   ├── ObjectExistsError (FileExistsError)
    │   ├── IngestInProgressError                     somebody else is at the same source
    │   ├── FormatVersionError                        written by a newer hsc
    │   ├── GapError                                  a chunk that the source could not give
    │   ├── ElsewhereError                            with another catalog, in no store of ours
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
    │   ├── CatalogDamagedError                       changed from outside, or lost
    │   ├── DatasetNotFoundError (KeyError)           no such dataset, or none that the caller sees
    │   ├── ActivityNotFoundError (KeyError)
    │   ├── ConflictError                             the same identity with other content
    │   ├── RecordNotFoundError (KeyError)            no such instrument, proposal, sample ...
    │   ├── InvalidRecordError (ValueError)           a record that is not as it must be
    │   ├── RevisionError                             somebody changed the record since it was read
    │   ├── UnauthenticatedError (PermissionError)    no token, or a wrong or expired one
    │   ├── ForbiddenError (PermissionError)          seen, but not to be done by the caller
    │   ├── TokenNotFoundError (KeyError)             no such token or link of the caller's
    │   ├── TooLargeError (ValueError)                a request of more bytes or items than allowed
    │   ├── AddressUnavailableError (OSError)         an address that a server can't listen on
    │   └── TooManyRequestsError                      faster than the catalog lets one caller ask
    ├── ReductionError
    │   ├── UnknownReductionError (KeyError)
    │   ├── InputChangedError                         an input is no more what was reduced
    │   ├── ParameterError (ValueError)               a parameter missing or impossible
    │   └── RoleMissingError (KeyError)               the dataset has no array for that role
    ├── NotReproducibleError (ValueError)      a dataset whose making can't be replayed
    ├── NotRetriableError (ValueError)         an activity that can't be run again
    ├── FlowError                              the Prefect side failed
    └── OutputError (OSError)                  stdout takes no answer
"""

from hsc.errors.base import (
    ConfigurationError,
    DependencyMissingError,
    FlowError,
    HscError,
    InvalidPidError,
    InvalidQueryError,
    OutputError,
    PathMissingError,
    SelectionError,
    VerificationError,
)
from hsc.errors.catalogs import (
    ActivityNotFoundError,
    AddressUnavailableError,
    CatalogDamagedError,
    CatalogError,
    CatalogOutdatedError,
    CatalogUnavailableError,
    ConflictError,
    DatasetNotFoundError,
    ForbiddenError,
    InvalidRecordError,
    RecordNotFoundError,
    RevisionError,
    TokenNotFoundError,
    TooLargeError,
    TooManyRequestsError,
    UnauthenticatedError,
)
from hsc.errors.sources import (
    DamagedSourceError,
    IncompleteRunError,
    LayoutError,
    NotHdf5Error,
    SourceBusyError,
    SourceChangedError,
    SourceCrashError,
    SourceError,
    SourceMissingError,
    SourceTooLargeError,
    SourceTooSlowError,
    SplitFileError,
    UnsupportedObjectError,
)
from hsc.errors.stores import (
    ArchivedError,
    CorruptShardError,
    DamageError,
    ElsewhereError,
    FormatVersionError,
    GapError,
    IngestInProgressError,
    LocationRefusedError,
    ManifestError,
    MissingShardError,
    ObjectExistsError,
    ObjectMissingError,
    RedirectRefusedError,
    StoreError,
    StoreFullError,
    StoreRefusedError,
    StoreUnavailableError,
    StoreUnwritableError,
)
from hsc.errors.work import (
    InputChangedError,
    NotReproducibleError,
    NotRetriableError,
    ParameterError,
    ReductionError,
    RoleMissingError,
    UnknownReductionError,
    WorkerError,
    WorkersLostError,
    WorkerUnfitError,
    WorkStoppedError,
)

__all__ = [
    "ActivityNotFoundError",
    "AddressUnavailableError",
    "ArchivedError",
    "CatalogDamagedError",
    "CatalogError",
    "CatalogOutdatedError",
    "CatalogUnavailableError",
    "ConfigurationError",
    "ConflictError",
    "CorruptShardError",
    "DamageError",
    "DamagedSourceError",
    "DatasetNotFoundError",
    "DependencyMissingError",
    "ElsewhereError",
    "FlowError",
    "ForbiddenError",
    "FormatVersionError",
    "GapError",
    "HscError",
    "IncompleteRunError",
    "IngestInProgressError",
    "InputChangedError",
    "InvalidPidError",
    "InvalidQueryError",
    "InvalidRecordError",
    "LayoutError",
    "LocationRefusedError",
    "ManifestError",
    "MissingShardError",
    "NotHdf5Error",
    "NotReproducibleError",
    "NotRetriableError",
    "ObjectExistsError",
    "ObjectMissingError",
    "OutputError",
    "ParameterError",
    "PathMissingError",
    "RecordNotFoundError",
    "RedirectRefusedError",
    "ReductionError",
    "RevisionError",
    "RoleMissingError",
    "SelectionError",
    "SourceBusyError",
    "SourceChangedError",
    "SourceCrashError",
    "SourceError",
    "SourceMissingError",
    "SourceTooLargeError",
    "SourceTooSlowError",
    "SplitFileError",
    "StoreError",
    "StoreFullError",
    "StoreRefusedError",
    "StoreUnavailableError",
    "StoreUnwritableError",
    "TokenNotFoundError",
    "TooLargeError",
    "TooManyRequestsError",
    "UnauthenticatedError",
    "UnknownReductionError",
    "UnsupportedObjectError",
    "VerificationError",
    "WorkStoppedError",
    "WorkerError",
    "WorkerUnfitError",
    "WorkersLostError",
]
