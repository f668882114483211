"""Access: who asks, what they may see and do, and how that changes."""

from hsc_catalog.access.admission import Admission, Admitted
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
from hsc_catalog.access.changes import change, move, require_link
from hsc_catalog.access.claims import claimed
from hsc_catalog.access.inheritance import Restood
from hsc_catalog.access.inputs import inputs_of, outputs_of, pid_of
from hsc_catalog.access.noun_access import noun_set, require_keep
from hsc_catalog.access.predicate import (
    activity_visible,
    dataset_visible,
    held_sets,
    is_free,
    noun_visible,
    visible_sets,
)
from hsc_catalog.access.previews import may_feed, may_preview
from hsc_catalog.access.rights import (
    SCOPE,
    Right,
    knows_access,
    may,
    require,
    require_move,
)
from hsc_catalog.access.sets import AccessSet, interned, read_sets
from hsc_catalog.access.sight import Sight
from hsc_catalog.access.standing import Standing, standings, visible_standing

__all__ = [
    "ALL_SCOPES",
    "ANONYMOUS",
    "OPERATOR",
    "SCOPE",
    "AccessSet",
    "Admission",
    "Admitted",
    "Caller",
    "Restood",
    "Right",
    "Role",
    "Scope",
    "Sight",
    "Standing",
    "activity_visible",
    "change",
    "claimed",
    "dataset_visible",
    "held_sets",
    "inputs_of",
    "instrument_name",
    "interned",
    "is_free",
    "knows_access",
    "lead_key",
    "may",
    "may_feed",
    "may_preview",
    "move",
    "noun_set",
    "noun_visible",
    "outputs_of",
    "person_key",
    "pid_of",
    "proposal_group",
    "read_sets",
    "require",
    "require_keep",
    "require_link",
    "require_move",
    "staff_key",
    "standings",
    "visible_sets",
    "visible_standing",
]
