"""Make a golden store: a small one of every kind of object, kept so that later releases read it.

    python tests/golden/make_golden.py

writes ``tests/golden/<version>/``, named after the version that makes it. Each release adds one
and changes none. Every name, time and number in it is made up: it tells of no machine.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np

from hsc.ingestion import Plan, commit_plan, make_plan, summary, write_plan
from hsc.layouts import read_run
from hsc.model import (
    Activity,
    ActivityState,
    Agent,
    Dataset,
    Edge,
    Environment,
    Gap,
    Kind,
    Pid,
    Quantity,
    canonical_json,
)
from hsc.provenance import version, write_crate
from hsc.store import Attempt, Claim, Manifest, open_objects
from hsc.workers import Silent, ThreadWorkers

HERE = Path(__file__).parent
MOMENT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
PIDS = {
    "loose": Pid.parse("hsc.local/01JG0000000000000000000001"),
    "packed": Pid.parse("hsc.local/01JG0000000000000000000002"),
}


def frames() -> np.ndarray:
    """Give the values of the stacks: (6, 8, 16) of u2, the fourth frame never written."""
    values = np.arange(6 * 8 * 16, dtype="u2").reshape(6, 8, 16) * 7
    values[3] = 5
    return values


def write_loose(path: Path) -> None:
    """Write a file of few objects, one stack for each way, and one with a damaged chunk."""
    values = frames()
    with h5py.File(path, "w", libver=("earliest", "v110")) as file:
        file.attrs["creator"] = "golden"
        filters = {
            "rewrapped": hdf5plugin.Bitshuffle(cname="lz4"),
            "recoded": {"compression": "gzip", "shuffle": True},
            "plain": {},
        }
        for name, how in filters.items():
            shape = {"shape": values.shape, "dtype": "u2", "chunks": (1, 8, 16), "fillvalue": 5}
            stack = file.create_dataset(f"entry/{name}", **shape, **how)
            for row in (0, 1, 2, 4, 5):
                stack[row] = values[row]
        stack = file.create_dataset("entry/damaged", data=values, chunks=(1, 8, 16), compression=1)
        stack.id.write_direct_chunk((1, 0, 0), b"no deflate stream", 0)
        file["entry/title"] = "größte α"
        file["entry/energy"] = 12.4
        file["entry/energy"].attrs["units"] = "keV"
        file["entry/link"] = h5py.SoftLink("/entry/energy")


def write_packed(path: Path) -> None:
    """Write a file of so many small arrays that they lie in packs."""
    with h5py.File(path, "w", libver=("earliest", "v110")) as file:
        for number in range(31):
            file[f"values/value_{number:02}"] = np.arange(number + 1, dtype="<i4") - 3


def main() -> None:
    """Write the store of this version."""
    target = HERE / version()
    if target.exists():
        sys.exit(f"{target} is there: a golden store never changes")
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, write) in enumerate(
            {"loose": write_loose, "packed": write_packed}.items()
        ):
            _ingest(Path(folder), target.as_uri(), number, name, write)
    (target / "made.json").write_text(json.dumps({"made_by": version()}) + "\n", encoding="utf-8")


def _ingest(
    folder: Path, store: str, number: int, name: str, write: Callable[[Path], None]
) -> None:
    path = folder / f"{name}.h5"
    write(path)
    plan = make_plan(read_run(path, layout="plain", time_zone="UTC"), policy="quarantine")
    pid, objects = PIDS[name], open_objects(store)
    location = f"local/golden/2026/unknown/{pid.ulid}/v1"
    lease = {"attempt": "01JG000000000000000000000A", "host": "golden", "process": 1}
    claim = Claim(
        source_id=plan.source_id,
        pid=pid,
        location=location,
        files_state="blake3:" + "0" * 64,
        chain=lease["attempt"],
        made=MOMENT,
        **lease,
    )
    attempt = Attempt(
        number=number,
        kind="ingest",
        source_id=plan.source_id,
        pid=pid,
        version=1,
        location=location,
        made=MOMENT,
        **lease,
    )
    for key, record in ((f".attempts/{number}", attempt), (claim.key, claim)):
        objects.put_new(key, canonical_json(record.document()))
    written = write_plan(
        plan,
        store,
        location,
        workers=ThreadWorkers(1),
        progress=Silent(),
        resumed=False,
        policy="quarantine",
    )

    def explain(manifest: Manifest) -> bytes:
        return _crate(plan, pid, location, manifest)

    commit_plan(plan, store, location, written.entries, written.gaps, explain)


def _crate(plan: Plan, pid: Pid, location: str, manifest: Manifest) -> bytes:
    dataset = Dataset(
        pid=pid,
        kind=Kind.RAW,
        title="a golden dataset",
        facility="local",
        instrument="golden",
        created=MOMENT,
        source_id=plan.source_id,
        root=manifest.root,
        layout="plain",
        location=f"file:///golden/{location}",
        bytes_in=plan.bytes_in,
        bytes_out=manifest.nbytes,
        arrays=tuple(summary(planned.spec) for planned in plan.arrays),
        gaps=tuple(Gap(path=gap.path, reason=gap.reason) for gap in manifest.gaps),
        quantities={"photon_energy": Quantity(value=12.4, unit="keV")},
        keywords=("golden",),
    )
    made = str(pid.at(1))
    activity = Activity(
        id="01JG000000000000000000000A",
        type="ingest",
        state=ActivityState.DONE,
        started=MOMENT,
        ended=MOMENT,
        environment=Environment(
            packages={}, python="3", platform="golden", host="golden", process=1, cpus=1
        ),
        agents=(Agent(kind="person", id="golden"),),
        used=(plan.source_id,),
        generated=(pid.at(1),),
    )
    edge = Edge(subject=made, predicate="was_generated_by", object=f"activity:{activity.id}")
    return write_crate(dataset, activity, [edge])


if __name__ == "__main__":
    main()
