"""What the audit log has a digest of, for each kind of thing that the tables keep."""

from hsc_catalog.wording.access import set_text, standing_text
from hsc_catalog.wording.agents import Agents
from hsc_catalog.wording.kinds import (
    FOREIGN_KINDS,
    SEVERAL,
    WORDED,
    Worded,
    annotation_text,
    text_now,
    texts_now,
)

__all__ = [
    "FOREIGN_KINDS",
    "SEVERAL",
    "WORDED",
    "Agents",
    "Worded",
    "annotation_text",
    "set_text",
    "standing_text",
    "text_now",
    "texts_now",
]
