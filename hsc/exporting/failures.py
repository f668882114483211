"""Failures while a file is written: which are one object's, and which end the export."""

from __future__ import annotations

import errno

from hsc.errors import HscError, StoreFullError, StoreUnwritableError

UNWRITABLE = (OSError, KeyError, TypeError, ValueError, RuntimeError)
"""What h5py raises for what HDF5 does not take; some errors of hsc are of these kinds too."""

_FULL = (errno.ENOSPC, errno.EDQUOT) if hasattr(errno, "EDQUOT") else (errno.ENOSPC,)


def end_unless_own(error: Exception, where: str) -> None:
    """Raise an error that is no fault of the object that was written.

    Parameters
    ----------
    error
        What was raised while one object was written.
    where
        The file.

    Raises
    ------
    StoreFullError
        There is no room left.
    HscError
        The error itself, where it is one of hsc's: the dataset can't be read.
    """
    if isinstance(error, HscError):
        raise error
    if is_full(error):
        raise StoreFullError(
            "there is no room left to write",
            where=where,
            next_step="make room, or choose another place",
        ) from error


def is_full(error: Exception) -> bool:
    """Tell whether an error says that there is no room; HDF5 tells the number in words."""
    if isinstance(error, OSError) and error.errno in _FULL:
        return True
    return any(f"errno = {number}," in str(error) for number in _FULL)


def unwritable(error: Exception, where: str) -> HscError:
    """Give the error for a file that can't be written."""
    return StoreUnwritableError(f"can't write: {error}", where=where)
