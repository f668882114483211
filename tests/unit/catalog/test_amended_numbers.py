"""A search finds the numbers that a record has since it was amended, and not those of before."""

from __future__ import annotations

from pathlib import Path

import pytest

from hsc.model import Amendment, Quantity
from hsc.testing.contracts import example_activity, example_dataset
from hsc_catalog.searching import reindex
from hsc_catalog.sql import open_catalog


@pytest.mark.parametrize("sealed", [False, True], ids=["fresh", "in columns"])
def test_amended_numbers_are_found_and_old_ones_are_not(tmp_path: Path, sealed: bool) -> None:
    dataset, other = example_dataset(), example_dataset()
    with open_catalog(f"sqlite:///{tmp_path / 'c.sqlite'}") as catalog:
        for each in (dataset, other):
            catalog.register(each, example_activity(), [])
        if sealed:
            with catalog.database.writing() as connection:
                reindex(connection)
        given = {
            "photon_energy": Quantity(value=8, unit="keV"),
            "flux": Quantity(value=1, unit="furlong"),
            "temperature": Quantity(value=20, unit="°C"),
        }
        catalog.amend(dataset.pid, Amendment(quantities=given, reason="read off again"))

        def found(condition: str) -> int:
            return catalog.search(where=condition).total

        assert found("photon_energy < 9 keV") == 1
        assert found("photon_energy > 9 keV") == 1
        assert found("temperature = 293.15 K") == 1
        assert found("flux > 1e12 ph/s") == 1
        catalog.amend(dataset.pid, Amendment(clear=("quantities",), reason="all wrong"))
        assert found("photon_energy < 9 keV") == 0
        assert found("temperature > 0 K") == 0
        assert found("photon_energy > 9 keV") == 1
