"""Stubs: what lies in place of an object that was left out of a copy on purpose."""

from __future__ import annotations

import google_crc32c

_TEXT = b"hsc: not fetched; `hsc fetch PID FOLDER` brings it\n"

STUB: bytes = _TEXT + (google_crc32c.value(_TEXT) ^ 0xFFFFFFFF).to_bytes(4, "little")
"""Ends in a crc32c that is wrong on purpose, so that Zarr readers raise and none gives zeros: where
an object is missing they take it for one that was never written."""

FETCHED_KEY = ".fetched.json"
"""In a folder that `hsc fetch` filled: what of which version, from where."""
