"""Searching: from a query to the datasets that match, and what is counted of them."""

from hsc_catalog.searching.search import search_datasets

__all__ = ["search_datasets"]
