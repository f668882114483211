"""Errors about the files to take in."""

from __future__ import annotations

from hsc.errors.base import HscError


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
