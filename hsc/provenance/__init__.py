"""An activity as it happens: parameters, code, packages, host, inputs and outputs."""

from hsc.provenance.environment import DISTRIBUTION, environment, version
from hsc.provenance.processes import alive
from hsc.provenance.recording import Recorder, RunningActivity, recorded

__all__ = [
    "DISTRIBUTION",
    "Recorder",
    "RunningActivity",
    "alive",
    "environment",
    "recorded",
    "version",
]
