"""Access: who asks, what they may see and do, and how that changes."""

from hsc_catalog.access.caller import (
    ALL_SCOPES,
    ANONYMOUS,
    OPERATOR,
    Caller,
    Role,
    Scope,
    instrument_name,
    lead_key,
    person_key,
    proposal_group,
    staff_key,
)
from hsc_catalog.access.predicate import (
    activity_visible,
    dataset_visible,
    is_free,
    noun_visible,
    visible_sets,
)

__all__ = [
    "ALL_SCOPES",
    "ANONYMOUS",
    "OPERATOR",
    "Caller",
    "Role",
    "Scope",
    "activity_visible",
    "dataset_visible",
    "instrument_name",
    "is_free",
    "lead_key",
    "noun_visible",
    "person_key",
    "proposal_group",
    "staff_key",
    "visible_sets",
]
