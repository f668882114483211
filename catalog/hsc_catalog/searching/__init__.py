"""Searching: from a query to the datasets that match, and what is counted of them."""

from hsc_catalog.searching.checking import check_searching, fresh_counts
from hsc_catalog.searching.indexing import index_datasets, prepared, reindex, reword
from hsc_catalog.searching.listing import relist
from hsc_catalog.searching.search import count_facets, count_visible, search_datasets

__all__ = [
    "check_searching",
    "count_facets",
    "count_visible",
    "fresh_counts",
    "index_datasets",
    "prepared",
    "reindex",
    "relist",
    "reword",
    "search_datasets",
]
