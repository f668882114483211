"""Numbers to search by: their units, their bounds, and those inside metadata."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from hsc.errors import InvalidQueryError
from hsc.model import Condition, Quantity, Query
from hsc.testing.contracts import example_activity, example_dataset
from hsc_catalog import SqlCatalog, open_catalog


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[SqlCatalog]:
    with open_catalog(f"sqlite:///{tmp_path}/catalog.sqlite") as catalog:
        yield catalog


@pytest.mark.parametrize(
    ("given", "asked", "found"),
    [
        (("flux", 3.0, "ph/s"), ("flux", 2.0, "ph/s"), True),
        (("flux", 3.0, "ph/s"), ("flux", 1e-12, "h/s"), False),
        (("signal", 3.0, "a.u."), ("signal", 2.0, "a.u."), True),
        (("signal", 3.0, "a.u."), ("signal", 0.0, "m"), False),
        (("temperature", 20.0, "degC"), ("temperature", 290.0, "K"), True),
        (("temperature", 20.0, "degC"), ("temperature", 294.0, "K"), False),
        (("x", 3.0, "no such unit"), ("x", 2.0, "no such unit"), True),
        (("x", 3.0, "no such unit"), ("x", 2.0, "no such Unit"), False),
    ],
)
def test_units_compare_as_what_they_are(
    catalog: SqlCatalog,
    given: tuple[str, float, str],
    asked: tuple[str, float, str],
    found: bool,
) -> None:
    numbers = {given[0]: Quantity(value=given[1], unit=given[2])}
    catalog.register(example_dataset(quantities=numbers), example_activity(), [])
    bound = Quantity(value=asked[1], unit=asked[2])
    where = Condition(name=asked[0], comparison=">", bound=bound)
    assert catalog.search(where=where).total == found


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_bound_that_is_no_number_is_refused(catalog: SqlCatalog, value: float) -> None:
    bound = Quantity.model_construct(value=value, unit="ph/s")
    where = Condition.model_construct(name="flux", comparison=">", bound=bound)
    with pytest.raises(InvalidQueryError, match="no number"):
        catalog.search(Query.model_construct(where=(where,)))


def test_numbers_inside_metadata_are_found_by_the_way_to_them(catalog: SqlCatalog) -> None:
    deep: dict[str, object] = {"n": 1}
    for _ in range(9):
        deep = {"d": deep}
    metadata = {
        "detector": {"distance": {"value": 2, "unit": "m"}, "gain": 3, "name": "EIGER"},
        "cell": {"temperature": {"value": 20.0, "unit": "°C"}, "open": True},
        "huge": 10**400,
        "list": [1, 2],
        "photon_energy": 1,
        "d": deep,
        "many": {f"n{n}": n for n in range(1200)},
    }
    dataset = example_dataset(scientific_metadata=metadata)
    catalog.register(dataset, example_activity(), [])
    found = {
        "detector.distance > 1999 mm": True,
        "detector.gain = 3": True,
        "cell.temperature > 293 K": True,
        "cell.open > 0": False,
        "huge > 0": False,
        "list > 0": False,
        # A quantity of the same name goes first.
        "photon_energy = 1": False,
        "photon_energy > 12 keV": True,
        "many.n1 = 1": True,
        "many.n1199 = 1199": False,
        f"{'d.' * 10}n = 1": False,
    }
    assert {where: bool(catalog.search(where=where).total) for where in found} == found
    assert catalog.get(dataset.pid) == dataset
