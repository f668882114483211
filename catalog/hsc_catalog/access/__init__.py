"""Access: who asks, and what they may see and do."""

from hsc_catalog.access.caller import ANONYMOUS, OPERATOR, Caller

__all__ = ["ANONYMOUS", "OPERATOR", "Caller"]
