"""Texts: the bytes of an HDF5 string as text, and only when that loses none of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.hdf5.names import decode_text

_FILLING = {"null-terminated": b"\0", "null-padded": b"\0", "space-padded": b" "}


def exact_text(value: Any, padding: str) -> str | None:
    r"""Decode a string; None when its bytes can't be made again from the text.

    Parameters
    ----------
    value
        Its bytes, of fixed length with all of their padding; None for a text never written.
    padding
        How it ends when its length is fixed; empty for variable length.

    Examples
    --------
    >>> exact_text(b"ab\0\0", "null-terminated"), exact_text(b"ab\0x", "null-terminated")
    ('ab', None)
    """
    if value is None:
        return ""
    if not padding:
        return decode_text(value)
    raw = bytes(value)
    head = raw.rstrip(_FILLING[padding])
    # What stands behind the first null is no part of the text; and NumPy's own texts, which
    # readers make of these, lose nulls at their end.
    if head.endswith(b"\0") or (padding == "null-terminated" and b"\0" in head):
        return None
    return decode_text(head)


def surely_exact(rows: NDArray[np.uint8], padding: str) -> bool:
    """Tell whether texts are plain ASCII and end as they should, without decoding one.

    Parameters
    ----------
    rows
        (n, length): their bytes, with all of their padding.
    padding
        How they end.
    """
    if not rows.size:
        return True
    if int(rows.max()) >= 0x80:
        return False
    if padding == "space-padded":
        return bool(rows.all())
    return padding != "null-terminated" or not ((rows[:, 1:] != 0) & (rows[:, :-1] == 0)).any()
