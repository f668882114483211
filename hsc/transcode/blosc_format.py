"""The numbers in the header of a Blosc 1 frame (github.com/Blosc/c-blosc, README_CHUNK_FORMAT)."""

from __future__ import annotations

HEADER_BYTES = 16
"""Before the offsets of the blocks."""
BYTES_SHUFFLED, STORED_RAW, BITS_SHUFFLED, RESERVED, NOT_SPLIT = 0x01, 0x02, 0x04, 0x08, 0x10
"""Flags; above them stands the number of the compressor."""
LZ4_FORMAT, SNAPPY_FORMAT, ZSTD_FORMAT = 1, 2, 4
"""Numbers of compressors."""
MOST_SPLITS, LEAST_SPLIT = 16, 128
"""c-blosc cuts a block into the bytes of its elements unless they are larger, or fewer, than so."""
