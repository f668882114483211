"""An activity as it happens: parameters, code, packages, host, inputs and outputs."""

from hsc.provenance.crate import Explained, read_crate, write_crate
from hsc.provenance.environment import DISTRIBUTION, environment, version
from hsc.provenance.processes import alive, process_mark, process_space
from hsc.provenance.recording import Recorder, RunningActivity, recorded

__all__ = [
    "DISTRIBUTION",
    "Explained",
    "Recorder",
    "RunningActivity",
    "alive",
    "environment",
    "process_mark",
    "process_space",
    "read_crate",
    "recorded",
    "version",
    "write_crate",
]
