"""An activity as it happens: parameters, code, packages, host, inputs and outputs."""

from hsc.provenance.crate import Explained, read_crate, write_crate
from hsc.provenance.drawing import draw_lineage
from hsc.provenance.environment import DISTRIBUTION, cpu_level, environment, version
from hsc.provenance.history import History, Records, gather, stale
from hsc.provenance.processes import alive, process_mark, process_space
from hsc.provenance.prov_document import prov_document
from hsc.provenance.recording import Recorder, RunningActivity, recorded
from hsc.provenance.run_crate import write_run_crate

__all__ = [
    "DISTRIBUTION",
    "Explained",
    "History",
    "Recorder",
    "Records",
    "RunningActivity",
    "alive",
    "cpu_level",
    "draw_lineage",
    "environment",
    "gather",
    "process_mark",
    "process_space",
    "prov_document",
    "read_crate",
    "recorded",
    "stale",
    "version",
    "write_crate",
    "write_run_crate",
]
