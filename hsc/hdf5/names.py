"""Names and texts of HDF5: bytes that are mostly UTF-8, and are kept where they are not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from hsc.model import plain_text

AMBIGUOUS_NAME = "its name can't be told from another's"


def decode_name(raw: bytes | str) -> str:
    """Give a link's or attribute's name as text; bytes that are no UTF-8 as lone surrogates."""
    return raw if isinstance(raw, str) else raw.decode("utf-8", "surrogateescape")


def encode_name(name: str) -> bytes:
    """Give a name, or a path of names, as it stands in the file."""
    return name.encode("utf-8", "surrogateescape")


def is_plain(name: str) -> bool:
    """Tell whether a name is UTF-8, so that its words say all of it."""
    return plain_text(name) == name


def ambiguous_names(names: Collection[str]) -> set[str]:
    r"""Give those of a place's names that can't be told from another's once they are worded.

    A manifest is JSON, where a byte that is no UTF-8 is worded as ``\xNN``. A name that has
    these four characters of its own may then stand beside one that has the byte.

    Examples
    --------
    >>> sorted(ambiguous_names(["a", "b", "a" + chr(0xDCFE), r"a\xfe"]))
    ['a\\xfe', 'a\udcfe']
    """
    worded = {name: plain_text(name) for name in names}
    count = Counter(worded.values())
    return {name for name, words in worded.items() if count[words] > 1}


def decode_text(value: bytes | str) -> str | None:
    """Decode an HDF5 string; None when it is no UTF-8."""
    if isinstance(value, str):
        # h5py hides undecodable bytes in lone surrogates.
        value = value.encode("utf-8", "surrogateescape")
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return None
