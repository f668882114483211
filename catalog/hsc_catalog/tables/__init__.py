"""The catalog's tables, all on one metadata: a file per noun, and what the dialects say apart."""

from hsc_catalog.tables.access import access_key, access_set
from hsc_catalog.tables.activities import activity, activity_document
from hsc_catalog.tables.annotations import annotation
from hsc_catalog.tables.audit import audit
from hsc_catalog.tables.datasets import dataset, dataset_document
from hsc_catalog.tables.dialects import (
    add_counts,
    cut,
    every_word,
    having_words,
    insert_new,
    insert_numbered,
    insert_or_update,
    insert_rows,
    is_postgresql,
    keep_words,
    upsert,
)
from hsc_catalog.tables.documents import read, written
from hsc_catalog.tables.edges import edge
from hsc_catalog.tables.foreign import foreign_document
from hsc_catalog.tables.history import history
from hsc_catalog.tables.idempotency import idempotency
from hsc_catalog.tables.identity import (
    api_token,
    granted_role,
    reviewer_link,
    reviewer_link_dataset,
)
from hsc_catalog.tables.listing import (
    column_block,
    embargoed,
    keyword,
    listed,
    listing_state,
    measure,
    proposal_number,
    row_numbers,
    tally,
    trait,
)
from hsc_catalog.tables.metadata import Words, kept_word, metadata
from hsc_catalog.tables.nouns import noun
from hsc_catalog.tables.persons import person
from hsc_catalog.tables.prepared import Prepared
from hsc_catalog.tables.replicas import replica
from hsc_catalog.tables.rewording import drop_words, merge_words, remake_words_table
from hsc_catalog.tables.times import microseconds, moment
from hsc_catalog.tables.version import VERSION, found_version, make_tables, schema_version
from hsc_catalog.tables.words import words

__all__ = [
    "VERSION",
    "Prepared",
    "Words",
    "access_key",
    "access_set",
    "activity",
    "activity_document",
    "add_counts",
    "annotation",
    "api_token",
    "audit",
    "column_block",
    "cut",
    "dataset",
    "dataset_document",
    "drop_words",
    "edge",
    "embargoed",
    "every_word",
    "foreign_document",
    "found_version",
    "granted_role",
    "having_words",
    "history",
    "idempotency",
    "insert_new",
    "insert_numbered",
    "insert_or_update",
    "insert_rows",
    "is_postgresql",
    "keep_words",
    "kept_word",
    "keyword",
    "listed",
    "listing_state",
    "make_tables",
    "measure",
    "merge_words",
    "metadata",
    "microseconds",
    "moment",
    "noun",
    "person",
    "proposal_number",
    "read",
    "remake_words_table",
    "replica",
    "reviewer_link",
    "reviewer_link_dataset",
    "row_numbers",
    "schema_version",
    "tally",
    "trait",
    "upsert",
    "words",
    "written",
]
