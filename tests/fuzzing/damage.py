"""Damage to a file's bytes, the same for the same seed."""

from __future__ import annotations

import numpy as np

_EARLY_BYTES = 2048


def damaged(data: bytes, rng: np.random.Generator) -> tuple[bytes, str]:
    """Give damaged bytes, and what was done to them."""
    kind = rng.choice(["flip", "flip", "flip early", "zero", "cut", "noise", "move"])
    changed = bytearray(data)
    size = len(changed)
    start = int(rng.integers(size))
    length = int(min(rng.integers(1, 257), size - start))
    if kind == "cut":
        return bytes(changed[: max(1, start)]), f"cut at {max(1, start)}"
    if kind == "zero":
        changed[start : start + length] = bytes(length)
        return bytes(changed), f"{length} zeros at {start}"
    if kind == "noise":
        length = min(length, 16)
        changed[start : start + length] = rng.bytes(length)
        return bytes(changed), f"{length} bytes of noise at {start}"
    if kind == "move":
        source = int(rng.integers(size - length + 1))
        changed[start : start + length] = data[source : source + length]
        return bytes(changed), f"{length} bytes from {source} to {start}"
    end = min(size, _EARLY_BYTES) if kind == "flip early" else size
    places = [int(place) for place in rng.integers(0, end, int(rng.integers(1, 9)))]
    for place in places:
        changed[place] ^= 1 << int(rng.integers(8))
    return bytes(changed), f"bits flipped at {sorted(places)}"
