"""One thread for the linear algebra that scipy brings, since its number changes last bits."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

# Wheels of scipy on Linux and Windows, and on macOS.
_FOLDERS = ("../scipy.libs", ".dylibs")
_NAME = "*scipy_openblas*"
_ONE_AT_A_TIME = threading.RLock()


@contextmanager
def one_blas_thread() -> Iterator[bool]:
    """Hold scipy's OpenBLAS to one thread, and other callers off, for as long as the block runs.

    OpenBLAS cuts a product of matrices by its number of threads, so that the same numbers come
    out with other last digits on a machine with more processors; and for the small matrices of
    an indirect Fourier transformation several threads are slower than one.

    Yields
    ------
    Whether the library was found: scipy may be built on another one.
    """
    with _ONE_AT_A_TIME:
        library = _openblas()
        if library is None:
            yield False
            return
        before = library.scipy_openblas_get_num_threads()
        library.scipy_openblas_set_num_threads(1)
        try:
            yield True
        finally:
            library.scipy_openblas_set_num_threads(before)


@cache
def _openblas() -> ctypes.CDLL | None:
    # scipy takes a tenth of a second to import.
    import scipy.linalg.cython_blas

    root = Path(scipy.__file__).parent
    for folder in _FOLDERS:
        for path in sorted((root / folder).glob(_NAME)):
            library = ctypes.CDLL(str(path))  # the one that is loaded already
            if hasattr(library, "scipy_openblas_set_num_threads"):
                return library
    return None
