"""``hsc retry ACTIVITY``: a failed ingest or reduction once more."""

from __future__ import annotations

from typing import Annotated

import typer

from hsc import jobs
from hsc.cli.ingest import tell_ingested
from hsc.cli.options import Json
from hsc.cli.output import Bars
from hsc.cli.reduce import tell_reduced


def retry(
    activity: Annotated[
        str, typer.Argument(help="Id of the failed activity: `hsc activities --failed`.")
    ],
    json: Json = False,
) -> None:
    """Run a failed ingest or reduction again, with what was asked of it."""
    with Bars() as bars:
        done = jobs.retry(activity.removeprefix("activity:"), progress=bars)
    if isinstance(done, jobs.IngestReport):
        tell_ingested(done)
    else:
        tell_reduced(done)
