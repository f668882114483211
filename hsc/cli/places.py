"""Stores as people name them: by URL, or by the path of a folder."""

from __future__ import annotations

from pathlib import Path


def store_argument(text: str) -> str:
    """Give the URL of a store that was named by URL or by path."""
    return text if "://" in text else Path(text).expanduser().absolute().as_uri()


def never_written(store: str) -> str:
    """Word that a store has no log: most often another was meant."""
    return f"hsc never wrote to {store}; was another store meant?"
