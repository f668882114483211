"""Store names: keys that S3, POSIX, Windows and macOS can all hold, for any HDF5 link name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from blake3 import blake3

_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*%\ud800-\udfff\ufffe\uffff]')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.IGNORECASE)
_LONGEST = 180


def store_names(names: Iterable[str]) -> dict[str, str]:
    """Give each link name of one group the name that it bears in store keys.

    Most names stay as they are. Others are percent-escaped; of names that differ only in case or
    in the Unicode form of their letters all but the first (in sorted order) get a suffix; the
    long are cut and get a suffix. No two names of a group share a store name. The true name is
    recorded beside where they differ.

    Examples
    --------
    >>> store_names(["data", "0CH0:xtdf", "zarr.json", ".."])
    {'..': '%2E%2E', '0CH0:xtdf': '0CH0%3Axtdf', 'data': 'data', 'zarr.json': 'zarr%2Ejson'}
    """
    taken: set[str] = set()
    given: dict[str, str] = {}
    for name in sorted(names):
        stored = _escape(name)
        if _folded(stored) in taken or len(stored.encode()) > _LONGEST:
            digest = blake3(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
            head = stored.encode()[: _LONGEST - 20].decode("utf-8", "ignore")
            stored = f"{head.rstrip('%')}%-{digest}"
        taken.add(_folded(stored))
        given[name] = stored
    return given


def _folded(name: str) -> str:
    # Windows and macOS take names as one that differ in case; macOS also "é" and "e" with accent.
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def _escape(name: str) -> str:
    text = _UNSAFE.sub(_percent, name)
    if text.casefold() == "zarr.json":
        return text.replace(".", "%2E")
    if _RESERVED.fullmatch(text):
        text = f"%{ord(text[0]):02X}{text[1:]}"
    if text in (".", ".."):
        return text.replace(".", "%2E")
    if text.endswith((".", " ")):  # Windows drops them
        text = f"{text[:-1]}%{ord(text[-1]):02X}"
    return text or "%"


def _percent(match: re.Match[str]) -> str:
    # h5py gives bytes that are no UTF-8 as lone surrogates U+DC80..U+DCFF.
    try:
        raw = match[0].encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that Python text has and HDF5 can't give
        raw = match[0].encode("utf-8", "surrogatepass")
    return "".join(f"%{byte:02X}" for byte in raw)
