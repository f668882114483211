"""Records: taking them in, giving one back, changing it, and the walk along provenance edges."""

from hsc_catalog.records.activities import get_activity, list_activities, put_activities
from hsc_catalog.records.amending import SHOWN, amend_record, annotate_record, check_revision, touch
from hsc_catalog.records.collecting import uncollected
from hsc_catalog.records.entries import entry_now, get_entry
from hsc_catalog.records.exporting import START, Place, export_lines, export_page
from hsc_catalog.records.granting import follow, get_access, grant, stand_as, standing_of
from hsc_catalog.records.idempotency import answered
from hsc_catalog.records.lineage import walk
from hsc_catalog.records.nouns import find_noun, list_nouns, put_noun
from hsc_catalog.records.posted import Once, Posted
from hsc_catalog.records.reading import Version, get_dataset, get_version
from hsc_catalog.records.reasons import keep_access_reason, keep_amendment_reason
from hsc_catalog.records.registering import register_items
from hsc_catalog.records.replaced import Replaced, keep_replaced, list_replaced
from hsc_catalog.records.replicas import list_replicas, put_replica

__all__ = [
    "SHOWN",
    "START",
    "Once",
    "Place",
    "Posted",
    "Replaced",
    "Version",
    "amend_record",
    "annotate_record",
    "answered",
    "check_revision",
    "entry_now",
    "export_lines",
    "export_page",
    "find_noun",
    "follow",
    "get_access",
    "get_activity",
    "get_dataset",
    "get_entry",
    "get_version",
    "grant",
    "keep_access_reason",
    "keep_amendment_reason",
    "keep_replaced",
    "list_activities",
    "list_nouns",
    "list_replaced",
    "list_replicas",
    "put_activities",
    "put_noun",
    "put_replica",
    "register_items",
    "stand_as",
    "standing_of",
    "touch",
    "uncollected",
    "walk",
]
