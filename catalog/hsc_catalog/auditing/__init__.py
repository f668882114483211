"""The audit log: noting changes, checking the chain, erasing who stands behind a pseudonym."""

from hsc_catalog.auditing.chain import Change, Head, digest_of, head, note, verify_chain
from hsc_catalog.auditing.persons import erase, person_of, pseudonym

__all__ = [
    "Change",
    "Head",
    "digest_of",
    "erase",
    "head",
    "note",
    "person_of",
    "pseudonym",
    "verify_chain",
]
