"""Where bytes live: store from URL, writing one dataset, checked reading."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hsc.store.abreast import abreast
from hsc.store.admission import admit_location
from hsc.store.ahead import read_ahead
from hsc.store.attempts import (
    Attempt,
    count_attempts,
    place_attempt,
    read_attempt,
    read_attempts,
)
from hsc.store.buffers import BUFFER_BYTES, give_back, take_buffer
from hsc.store.checked import CheckedVersion
from hsc.store.checking import Damage, Looked, check_object, damage
from hsc.store.checksums import CHECKSUMS_KEY, checksum_lines
from hsc.store.claims import (
    Claim,
    claim_keys,
    drop_claims,
    give_up,
    make_claim,
    place_claim,
    read_claim,
    slot_name,
    take_over,
)
from hsc.store.copying import copy_object, holds
from hsc.store.credentials import Credentials, Provider, bind_credentials, unbind_credentials
from hsc.store.delivered import DeliveredObjects, withheld_keys
from hsc.store.directory import DirectoryObjects
from hsc.store.disk_cache import DiskCache, open_cache
from hsc.store.fills import read_fill, word_fill
from hsc.store.http import HttpObjects
from hsc.store.inside import CopiesFrom, CopiesInside, copy_inside
from hsc.store.leases import LEASE, Lease, holding
from hsc.store.manifest import (
    FORMAT_VERSION,
    MANIFEST_KEY,
    Manifest,
    ObjectEntry,
    dataset_root,
    digest_entry,
    pack_key,
)
from hsc.store.names import store_names
from hsc.store.newstream import Finish, Make, Stream, StreamedArray
from hsc.store.objects import KeepsStrays, ObjectStore
from hsc.store.opening import open_version
from hsc.store.origins import origin_of
from hsc.store.pacing import pay, paying
from hsc.store.packs import MOST_PACK_BYTES, SMALL_BYTES, PackBuilder, packed_nbytes
from hsc.store.presigning import LentKeys, lend_keys, presign
from hsc.store.probing import Ability, Probe, probe_store
from hsc.store.ranges import Part, ReadsRanges, Span, get_ranges
from hsc.store.references import REFERENCES_KEY, references
from hsc.store.remains import abandon_version, clear_remains, find_remains
from hsc.store.remote import FsspecObjects
from hsc.store.retrying import Patience, end_waits_with, persist
from hsc.store.room import Room, TellsRoom
from hsc.store.s3 import S3Objects
from hsc.store.shards import ChunkState, ChunkTable, ShardBuilder
from hsc.store.shardstream import ShardStream, idle_processors
from hsc.store.specs import ArraySpec, GroupSpec, blosc, metadata_objects, zstd
from hsc.store.streams import NewObject, TakesParts, begin_object
from hsc.store.stubs import FETCHED_KEY, STUB, FetchedFolder, is_stub, read_fetched
from hsc.store.tokens import bind_token, keep_token, token_headers, token_of, unbind_token
from hsc.store.tree import NewArray, NewGroup, NewTree
from hsc.store.url import Opener, add_scheme, open_objects
from hsc.store.windows import digest_object
from hsc.store.writing import CRATE_KEY, DATA, FILES, VersionWriter

if TYPE_CHECKING:
    from hsc.store.zarrstore import CheckedStore

__all__ = [
    "BUFFER_BYTES",
    "CHECKSUMS_KEY",
    "CRATE_KEY",
    "DATA",
    "FETCHED_KEY",
    "FILES",
    "FORMAT_VERSION",
    "LEASE",
    "MANIFEST_KEY",
    "MOST_PACK_BYTES",
    "REFERENCES_KEY",
    "SMALL_BYTES",
    "STUB",
    "Ability",
    "ArraySpec",
    "Attempt",
    "CheckedStore",
    "CheckedVersion",
    "ChunkState",
    "ChunkTable",
    "Claim",
    "CopiesFrom",
    "CopiesInside",
    "Credentials",
    "Damage",
    "DeliveredObjects",
    "DirectoryObjects",
    "DiskCache",
    "FetchedFolder",
    "Finish",
    "FsspecObjects",
    "GroupSpec",
    "HttpObjects",
    "KeepsStrays",
    "Lease",
    "LentKeys",
    "Looked",
    "Make",
    "Manifest",
    "NewArray",
    "NewGroup",
    "NewObject",
    "NewTree",
    "ObjectEntry",
    "ObjectStore",
    "Opener",
    "PackBuilder",
    "Part",
    "Patience",
    "Probe",
    "Provider",
    "ReadsRanges",
    "Room",
    "S3Objects",
    "ShardBuilder",
    "ShardStream",
    "Span",
    "Stream",
    "StreamedArray",
    "TakesParts",
    "TellsRoom",
    "VersionWriter",
    "abandon_version",
    "abreast",
    "add_scheme",
    "admit_location",
    "begin_object",
    "bind_credentials",
    "bind_token",
    "blosc",
    "check_object",
    "checksum_lines",
    "claim_keys",
    "clear_remains",
    "copy_inside",
    "copy_object",
    "count_attempts",
    "damage",
    "dataset_root",
    "digest_entry",
    "digest_object",
    "drop_claims",
    "end_waits_with",
    "find_remains",
    "get_ranges",
    "give_back",
    "give_up",
    "holding",
    "holds",
    "idle_processors",
    "is_stub",
    "keep_token",
    "lend_keys",
    "make_claim",
    "metadata_objects",
    "open_cache",
    "open_objects",
    "open_version",
    "origin_of",
    "pack_key",
    "packed_nbytes",
    "pay",
    "paying",
    "persist",
    "place_attempt",
    "place_claim",
    "presign",
    "probe_store",
    "read_ahead",
    "read_attempt",
    "read_attempts",
    "read_claim",
    "read_fetched",
    "read_fill",
    "references",
    "slot_name",
    "store_names",
    "take_buffer",
    "take_over",
    "token_headers",
    "token_of",
    "unbind_credentials",
    "unbind_token",
    "withheld_keys",
    "word_fill",
    "zstd",
]


def __getattr__(name: str) -> Any:
    # zarr takes half a second to import; writing a dataset does without it.
    if name == "CheckedStore":
        from hsc.store.zarrstore import CheckedStore

        return CheckedStore
    raise AttributeError(name)
