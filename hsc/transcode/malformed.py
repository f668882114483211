"""What kernels say of a chunk that they can't carry: that it must be recoded, or what is wrong."""

from __future__ import annotations

RECODE = -1
"""The chunk is whole but has to be decoded and encoded."""
NO_ROOM = -2
"""The target is too small for it."""
SHORT, SIZE, BLOCK, OVERRUN, TAIL, TRAILING, SUM, FRAME, RAW, LARGE = range(-3, -13, -1)

REASONS = {
    SHORT: "it is too short for a header",
    SIZE: "its header says another size than the dataset has",
    BLOCK: "its header gives an impossible block size",
    OVERRUN: "a block reaches past the end of its chunk",
    TAIL: "its last block can't be decoded",
    TRAILING: "bytes follow the last block",
    SUM: "its checksum (fletcher32) is wrong",
    FRAME: "it is no whole frame of its codec",
    RAW: "its bytes are not as many as its elements need",
    LARGE: "it does not fit a Blosc frame",
}
"""What each status of a malformed chunk means."""


class MalformedChunkError(ValueError):
    """A chunk's bytes contradict its own header or its dataset; the caller knows the place."""
