"""The questions that a catalog is asked, each another one each time, but the same in each run."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import httpx

from hsc.model import Pid
from hsc_benchmarks.catalog_records import Records
from hsc_benchmarks.catalog_serving import ADMINISTRATOR, caller_in

Ask = Callable[[], object]

GET = "get by PID"
NEWEST = "newest 25, user in 20 groups"
FACETS = "all facets, user in 20 groups"
SOME_FACETS = "the same under text and range"
BROAD_FACETS = "the same under a word in most and a wide range"
FOUND = "text, facet and range, newest 25"
RANGES = "three ranges, newest 25"
LINEAGE = "lineage, 6 hops, 500 nodes"

WANTED_MS = {
    GET: 10.0, NEWEST: 20.0, FACETS: 50.0, SOME_FACETS: 200.0, BROAD_FACETS: 200.0, FOUND: 100.0,
    RANGES: 300.0, LINEAGE: 100.0,
}  # fmt: skip
"""The 95th percentile at a million datasets that is wanted of SQLite."""


class Questions:
    """Makes questions to a catalog that `Records` filled.

    Parameters
    ----------
    records
        What the catalog holds.
    origin
        The dataset whose lineage is asked for.
    """

    def __init__(self, records: Records, origin: Pid) -> None:
        self._records, self._origin, self._random = records, origin, Random(7)  # noqa: S311
        self._groups = [each.group for each in records.beamtimes]

    def of_catalog(self, catalog: Any) -> dict[str, Ask]:
        """Give the questions as calls of a catalog in this process."""

        def user() -> Any:
            return type(catalog)(catalog.database, caller_in(self._some_groups()))

        return {
            GET: lambda: catalog.get(Pid.parse(self._pid())),
            NEWEST: lambda: user().search(limit=25),
            FACETS: lambda: user().facets(),
            SOME_FACETS: lambda: user().facets(self._word(), where=self._range()),
            BROAD_FACETS: lambda: user().facets(self._records.words[3], where=_WIDE),
            FOUND: lambda: user().search(self._word(), technique="SAXS", where=self._range()),
            RANGES: lambda: user().search(where=self._ranges()),
            LINEAGE: lambda: catalog.lineage(self._origin, up=False, down=True, depth=6),
        }

    def of_server(self, client: httpx.Client) -> dict[str, Ask]:
        """Give the questions as requests to a server."""

        def ask(path: str, *, everything: bool = False, **asked: object) -> Ask:
            def send() -> object:
                given = {name: each() if callable(each) else each for name, each in asked.items()}
                groups = ADMINISTRATOR if everything else self._some_groups().replace(" ", ",")
                bearer = {"Authorization": f"Bearer {groups}"}
                where = path.format(pid=self._pid())
                answer = client.get(where, params=given, headers=bearer)  # type: ignore[arg-type]
                answer.raise_for_status()
                return answer.content

            return send

        word, bound, bounds = self._word, self._range, self._ranges
        walk = {"depth": 6, "up": "false", "down": "true"}
        return {
            GET: ask("/v1/datasets/{pid}", everything=True),
            NEWEST: ask("/v1/datasets", limit=25),
            FACETS: ask("/v1/facets"),
            SOME_FACETS: ask("/v1/facets", text=word, where=bound),
            BROAD_FACETS: ask("/v1/facets", text=self._records.words[3], where=_WIDE),
            FOUND: ask("/v1/datasets", text=word, technique="SAXS", where=bound, limit=25),
            RANGES: ask("/v1/datasets", where=bounds, limit=25),
            LINEAGE: ask(f"/v1/datasets/{self._origin}/lineage", everything=True, **walk),
        }

    def _some_groups(self) -> str:
        return " ".join(self._random.sample(self._groups, 20))

    def _pid(self) -> str:
        place = self._random.randrange(self._records.count)
        return str(self._records.pid(place))

    def _word(self) -> str:
        return self._records.words[self._random.randrange(100, 2000)]

    def _range(self) -> str:
        return f"photon_energy > {self._random.uniform(10, 16):.3f} keV"

    def _ranges(self) -> list[str]:
        return [
            f"sample.temperature > {self._random.uniform(250, 300):.1f} K",
            f"photon_energy < {self._random.uniform(10, 14):.3f} keV",
            f"detector_distance > {self._random.uniform(0.5, 2):.3f} m",
        ]


_WIDE = "photon_energy > 12 keV"
