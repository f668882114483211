"""The manifest as plain text: digests of a version's objects in the format of ``b3sum --check``."""

from __future__ import annotations

from blake3 import blake3

from hsc.store.manifest import MANIFEST_KEY, Manifest

CHECKSUMS_KEY = "manifest.b3"
"""In a copy of a version, beside its manifest; in no manifest."""

_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}


def checksum_lines(manifest: Manifest, encoded: bytes) -> bytes:
    r"""Give a line for each object of a version that lies in its store, and for the manifest.

    Parameters
    ----------
    manifest
        The manifest.
    encoded
        Its bytes, as they lie in the store.

    Examples
    --------
    >>> checksum_lines(Manifest(root="", entries=()), b"")[-11:]
    b'  manifest\n'
    """
    there = (e for e in manifest.entries if not e.absent and not e.packed)
    digests = {entry.key: entry.digest for entry in there}
    digests[MANIFEST_KEY] = blake3(encoded).digest()
    lines = (checksum_line(key, digests[key]) for key in sorted(digests))
    return "".join(lines).encode()


def checksum_line(name: str, digest: bytes) -> str:
    r"""Give a line as b3sum writes it: one of a name with signs to escape begins with a backslash.

    Examples
    --------
    >>> checksum_line("a\\b", bytes(32))[:4], checksum_line("a\\b", bytes(32))[-5:]
    ('\\000', 'a\\\\b\n')
    """
    escaped = "".join(_ESCAPES.get(sign, sign) for sign in name)
    return f"{chr(92) if escaped != name else ''}{digest.hex()}  {escaped}\n"
