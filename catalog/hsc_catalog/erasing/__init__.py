"""Erasing a person from a catalog: who it was, forgotten; what they did stays."""

from hsc_catalog.erasing.person import Erased, erase_person

__all__ = ["Erased", "erase_person"]
