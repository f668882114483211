"""Checking a catalog: whether log, documents, rows, references, access and counts agree."""

from hsc_catalog.checking.catalog import check_catalog
from hsc_catalog.checking.checked import Checked

__all__ = ["Checked", "check_catalog"]
