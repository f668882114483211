"""``hsc replicate PID STORE``: a whole further copy of a dataset in another store."""

from __future__ import annotations

from typing import Annotated

import typer

from hsc import jobs
from hsc.cli.options import Json, MaxRate, Memory, Workers
from hsc.cli.output import Bars, answer, size
from hsc.cli.places import store_argument
from hsc.model import Pid


def replicate(
    pid: Annotated[str, typer.Argument(help="The dataset's PID, with @n for version n.")],
    store: Annotated[str, typer.Argument(help="URL or folder of the store to copy to.")],
    verify: Annotated[
        bool, typer.Option("--verify", help="Read each object back from there.")
    ] = False,
    workers: Workers = None,
    max_rate: MaxRate = None,
    memory: Memory = None,
    json: Json = False,
) -> None:
    """Copy a dataset to another store, digests checked on the way, and register the replica.

    The same again goes on where an attempt died, and copies nothing when the copy is there.
    """
    request = jobs.ReplicateRequest(
        pid=Pid.parse(pid),
        store=store_argument(store),
        verify=verify,
        workers=workers,
        max_rate=max_rate,
        memory=memory,
    )
    with Bars() as bars:
        made = jobs.replicate(request, progress=bars)
    did = f"{made.objects} objects, {size(made.bytes)} copied"
    did += f", {made.kept} were there" if made.kept else ""
    text = "was there already" if made.existing else did
    answer(made.document(), f"{made.pid}@{made.version} at {made.location}: {text}")
