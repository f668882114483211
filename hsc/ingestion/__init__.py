"""HDF5 to Zarr: plan, make shards, verify, commit."""

from hsc.ingestion.batches import write_previews
from hsc.ingestion.confirming import committed_alike
from hsc.ingestion.forecast import Forecast, forecast
from hsc.ingestion.identity import files_state, run_key, wholly_hashed
from hsc.ingestion.makings import made_with
from hsc.ingestion.newtree import summary
from hsc.ingestion.plan import Plan, make_plan
from hsc.ingestion.planned import PlannedArray
from hsc.ingestion.stream_forecast import StreamForecast, forecast_streams
from hsc.ingestion.tree import WrittenTree, write_tree
from hsc.ingestion.verify import verify_written
from hsc.ingestion.writing import Written, check_unchanged, commit_plan, write_plan

__all__ = [
    "Forecast",
    "Plan",
    "PlannedArray",
    "StreamForecast",
    "Written",
    "WrittenTree",
    "check_unchanged",
    "commit_plan",
    "committed_alike",
    "files_state",
    "forecast",
    "forecast_streams",
    "made_with",
    "make_plan",
    "run_key",
    "summary",
    "verify_written",
    "wholly_hashed",
    "write_plan",
    "write_previews",
    "write_tree",
]
