"""HDF5 filter pipeline to Zarr codecs: the table, rewrapping, encoding and decoding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hsc.transcode.codecs import decode_chunk, encode_chunk
from hsc.transcode.pipeline import Filter, Travel, choose_travel

if TYPE_CHECKING:
    from hsc.transcode.bitshuffle import MalformedChunkError, rewrap

__all__ = [
    "Filter",
    "MalformedChunkError",
    "Travel",
    "choose_travel",
    "decode_chunk",
    "encode_chunk",
    "rewrap",
]


def __getattr__(name: str) -> Any:
    # numba takes a second to import; planning and reading do without it.
    if name in ("MalformedChunkError", "rewrap"):
        from hsc.transcode import bitshuffle

        return getattr(bitshuffle, name)
    raise AttributeError(name)
