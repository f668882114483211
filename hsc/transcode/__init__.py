"""HDF5 filter pipeline to Zarr codecs: the table, carrying, encoding and decoding of chunks."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hsc.transcode.codecs import decode_chunk, encode_chunk
from hsc.transcode.malformed import MalformedChunkError
from hsc.transcode.pipeline import Filter, Row, Travel, choose_travel, decodable, recoded
from hsc.transcode.placing import decode_into, decode_part

if TYPE_CHECKING:
    from hsc.transcode.carrying import Carried, CarriedChunks, carry_chunks, rewrap, room_needed
    from hsc.transcode.decoding import decode_filters
    from hsc.transcode.returning import append_fletcher32, return_chunk
    from hsc.transcode.shuffling import shuffle_bytes
    from hsc.transcode.unpacking import unpack_into

__all__ = [
    "Carried",
    "CarriedChunks",
    "Filter",
    "MalformedChunkError",
    "Row",
    "Travel",
    "append_fletcher32",
    "carry_chunks",
    "choose_travel",
    "decodable",
    "decode_chunk",
    "decode_filters",
    "decode_into",
    "decode_part",
    "encode_chunk",
    "recoded",
    "return_chunk",
    "rewrap",
    "room_needed",
    "shuffle_bytes",
    "unpack_into",
]

# numba takes a second to import; planning and reading do without it.
_WITH_KERNELS = {
    "Carried": "carrying",
    "CarriedChunks": "carrying",
    "append_fletcher32": "returning",
    "carry_chunks": "carrying",
    "decode_filters": "decoding",
    "return_chunk": "returning",
    "rewrap": "carrying",
    "room_needed": "carrying",
    "shuffle_bytes": "shuffling",
    "unpack_into": "unpacking",
}


def __getattr__(name: str) -> Any:
    if name in _WITH_KERNELS:
        # Kept, for it is asked for with each small array.
        found = getattr(import_module(f"hsc.transcode.{_WITH_KERNELS[name]}"), name)
        return globals().setdefault(name, found)
    raise AttributeError(name)
