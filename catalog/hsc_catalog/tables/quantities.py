"""Quantities: numbers of datasets in SI, each with the dimension it can be compared within."""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, Table

from hsc.model import Quantity
from hsc_catalog.tables.metadata import Words, metadata

# One row per number of a dataset: its value in SI, and the dimension it can be compared within.
quantity = Table(
    "quantity",
    metadata,
    Column("dataset", ForeignKey("dataset.id"), primary_key=True),
    Column("name", Words, primary_key=True),
    Column("dimension", Words, nullable=False),
    Column("value", Float, nullable=False),
    Index("quantity_value", "name", "dimension", "value", "dataset"),
)


def comparable(number: Quantity) -> tuple[float, str]:
    """Give a quantity's value and dimension to compare by; an unknown unit is its own dimension."""
    return number.comparable()
