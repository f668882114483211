"""Mock facility files with a known truth, for tests, the demo and benchmarks only."""

from hsc.testing.agipd import AgipdModel, agipd_run, write_agipd_constants
from hsc.testing.biosaxs import BioSaxsModel, BioSaxsPair, sphere_form_factor, write_biosaxs_pair
from hsc.testing.chunks import write_many_chunks
from hsc.testing.crystals import CrystalModel, write_crystal_run
from hsc.testing.dectris import Frame, write_dectris_run
from hsc.testing.dectris_channels import ChannelFrame, write_dectris_channels
from hsc.testing.dectris_run import DectrisRun
from hsc.testing.detector import Detector, PixelMaskBit
from hsc.testing.ess import (
    EventMeasurement,
    RecordedEvents,
    measure_events,
    write_event_file,
)
from hsc.testing.ess_model import EventRun, EventSansModel, StrawBank
from hsc.testing.exfel import ExfelRun, exfel_image, write_exfel_run
from hsc.testing.noise import PoissonFrames
from hsc.testing.sec import SecModel, Species, write_sec_run
from hsc.testing.stores import WatchedObjects, WriteOnceObjects, open_write_once

__all__ = [
    "AgipdModel",
    "BioSaxsModel",
    "BioSaxsPair",
    "ChannelFrame",
    "CrystalModel",
    "DectrisRun",
    "Detector",
    "EventMeasurement",
    "EventRun",
    "EventSansModel",
    "ExfelRun",
    "Frame",
    "PixelMaskBit",
    "PoissonFrames",
    "RecordedEvents",
    "SecModel",
    "Species",
    "StrawBank",
    "WatchedObjects",
    "WriteOnceObjects",
    "agipd_run",
    "exfel_image",
    "measure_events",
    "open_write_once",
    "sphere_form_factor",
    "write_agipd_constants",
    "write_biosaxs_pair",
    "write_crystal_run",
    "write_dectris_channels",
    "write_dectris_run",
    "write_event_file",
    "write_exfel_run",
    "write_many_chunks",
    "write_sec_run",
]
