"""One reduced sphere, and the files that come of it."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import pytest

from hsc.reductions import Outputs
from hsc.reductions.biosaxs.chain import Chain, follow
from hsc.reductions.biosaxs.measuring import measure_inputs
from hsc.reductions.biosaxs.reduction import BIOSAXS
from hsc.workers import Silent, ThreadWorkers

PARAMETERS = MappingProxyType({"bins": 120, "pr_points": 20, "pr_samples": 10})


@dataclass(frozen=True)
class Taken:
    """What a reduction gave, with the PIDs of what it took."""

    outputs: Outputs
    pids: tuple[str, str]

    @property
    def files(self):
        return self.outputs.files

    def values(self, path):
        return next(one.values for one in self.outputs.tree.arrays if one.path == path)


@pytest.fixture(scope="session")
def reduce_sphere(scattering):
    """Reduce frames of a sphere, the same each time but for the PIDs."""

    def reduce(**parameters):
        sample, buffer = scattering()
        inputs = {"sample": sample, "buffer": buffer}
        outputs = BIOSAXS.run(inputs, {**PARAMETERS, **parameters}, ThreadWorkers(2))
        return Taken(outputs, (f"{sample.record.pid}@1", f"{buffer.record.pid}@1"))

    return reduce


@pytest.fixture(scope="session")
def taken(reduce_sphere) -> Taken:
    return reduce_sphere(concentration_g_per_l=5.0)


@pytest.fixture(scope="session")
def followed(scattering) -> Chain:
    """Give the chain of a sphere as it is, without files."""
    inputs = BIOSAXS.bind(zip(("sample", "buffer"), scattering(), strict=True))
    parameters = BIOSAXS.parse({"bins": 60, "pr": False})
    chosen = {"sample": "all", "buffer": "all"}
    runs = measure_inputs(inputs, parameters, chosen, ThreadWorkers(1), Silent())
    edges = runs["sample"][0].stack.binning.edges()
    return follow(runs["sample"], runs["buffer"], edges, parameters)
