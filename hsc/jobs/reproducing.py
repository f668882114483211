"""The reproduce job: a recorded reduction once more, into a scratch place, and compared."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hsc.client import Catalog
from hsc.errors import (
    ConfigurationError,
    DatasetNotFoundError,
    InputChangedError,
    NotReproducibleError,
    ParameterError,
)
from hsc.ingestion import WrittenTree, write_tree
from hsc.jobs.inputs import LocatedInputs, locate_inputs
from hsc.jobs.locating import locate
from hsc.jobs.rebuilding import recall
from hsc.jobs.recorded import recorded_inputs
from hsc.jobs.reducing import NUMERIC
from hsc.jobs.reproduction import ReproduceRequest, Reproduction, VersionDifference
from hsc.jobs.requests import ReduceRequest
from hsc.jobs.room import check_stream_room
from hsc.jobs.telling import WhereAllowed, open_catalog
from hsc.jobs.working import named_workers
from hsc.model import Activity, Pid, Record
from hsc.provenance import cpu_level, environment, recorded
from hsc.reading import Comparison, OpenedDataset, compare, open_dataset
from hsc.reductions import Outputs, Reduction, find_reduction
from hsc.workers import Progress, Silent, Workers

_FOLDER = "reproduced"
_MORE_ROOM = "name a folder that has room: --keep DIR, or TMPDIR in the environment"


@dataclass(frozen=True, slots=True)
class _Replay:
    """A recorded reduction, ready to be run again."""

    activity: Activity
    reduction: Reduction[Any]
    inputs: LocatedInputs
    parameters: Record

    def run(self, workers: Workers, progress: Progress) -> Outputs:
        return self.reduction.run(self.inputs.open(), self.parameters, workers, progress)


def reproduce(request: ReproduceRequest, *, progress: Progress | None = None) -> Reproduction:
    """Replay the reduction that a dataset came of, and hold what comes of it against the dataset.

    Nothing is registered but the activity, and nothing is left unless asked for.

    Raises
    ------
    NotReproducibleError
        The dataset did not come of a reduction, or of one that this release does not know.
    DatasetNotFoundError, InputChangedError, DamageError
        An input is not there, has another root than was recorded, or is damaged.
    """
    started, heard = time.perf_counter(), progress or Silent()
    with open_catalog() as catalog:
        located = locate(catalog, request.pid)
        dataset = open_dataset(located.record, located.others)
        pid = str(located.record.pid.at(located.record.version))
        with recorded(WhereAllowed(catalog), "reproduce", request.document()) as running:
            running.note(used=(pid,), input_roots=(located.record.root,))
            replay = _replay(recall(dataset.version).activity, catalog, pid)
            with _scratch(request.keep) as folder:
                written = _run(replay, folder, request.workers, heard)
                left_out = _own_versions(dataset, replay)
                found = _compared(dataset, written, folder, left_out)
            told = _told(replay, dataset, written, found)
            answer = Reproduction(
                pid=pid,
                **told,
                left_out=left_out if told["verdict"] != "identical" else (),
                kept=None if request.keep is None else str(folder / _FOLDER),
                seconds=round(time.perf_counter() - started, 3),
            )
            running.note(parameters={**request.document(), "verdict": answer.verdict})
            WhereAllowed(catalog).record(running.done())
    return answer


def _run(replay: _Replay, folder: Path, count: int | None, progress: Progress) -> WrittenTree:
    with named_workers(count) as workers:
        outputs = replay.run(workers, progress)
        check_stream_room(outputs.streams, folder.as_uri(), workers, _MORE_ROOM)
        written = write_tree(
            outputs.tree,
            folder.as_uri(),
            _FOLDER,
            files=outputs.files,
            streams=outputs.streams,
            workers=workers,
            progress=progress,
        )
    written.results.update({**outputs.results, **written.results})
    return written


def _own_versions(dataset: OpenedDataset, replay: _Replay) -> tuple[str, ...]:
    """Give where a dataset names the version of its reduction, if another one is installed.

    That alone would be the first difference, and hide whether a number differs.
    """
    was = str(replay.activity.parameters.get("version"))
    if was == replay.reduction.version:
        return ()
    places = (
        f"{path.rstrip('/')}/version"
        for path, each in dataset.documents.items()
        if each["attributes"].get("NX_class") == "NXprocess"
    )
    there = sorted(path for path in places if path in dataset.documents)
    return tuple(path for path in there if dataset.array(path).scalar() == was)


def _compared(
    dataset: OpenedDataset, written: WrittenTree, folder: Path, left_out: tuple[str, ...]
) -> Comparison:
    root = written.manifest.root
    if root == dataset.record.root:
        return Comparison()
    location = f"{folder.as_uri()}/{_FOLDER}"
    replayed = dataset.record.model_copy(update={"location": location, "root": root})
    return compare(dataset, open_dataset(replayed), left_out)


def _told(
    replay: _Replay, dataset: OpenedDataset, written: WrittenTree, found: Comparison
) -> dict[str, Any]:
    same = written.manifest.root == dataset.record.root
    close = "identical" if same else "within_1_ulp"
    return {
        "reduction": replay.reduction.name,
        "verdict": close if found.first is None else "different",
        "first_difference": found.first,
        "largest_difference": found.largest,
        "root": dataset.record.root,
        "root_now": written.manifest.root,
        "versions": _versions(replay),
        "inputs": tuple(pid for _, pid in replay.inputs.named),
        "results": written.results,
    }


def _replay(activity: Activity, catalog: Catalog, pid: str) -> _Replay:
    """Word a recorded activity as it can be run again, with the inputs that it had."""
    if activity.type != "reduce":
        raise NotReproducibleError(
            f"the dataset came of an activity {activity.type!r}; only reductions are replayed",
            where=pid,
            next_step=f"`hsc verify {pid} --source PATH` compares an ingest with its source",
        )
    asked, where = activity.parameters, f"{pid}, activity {activity.id}"
    reduction = find_reduction(str(asked.get("name")))
    try:
        parameters = reduction.parse(asked.get("parameters"))
        pairs = tuple((role, Pid.parse(name)) for role, name in recorded_inputs(activity))
    except (ParameterError, TypeError, ValueError) as error:
        version = asked.get("version")
        raise NotReproducibleError(
            f"what was recorded of it by version {version} of {reduction.name} is not understood "
            f"by version {reduction.version}: {error}",
            where=where,
            next_step="install the release that made it: the activity names its versions",
        ) from error
    request = ReduceRequest(name=reduction.name, inputs=pairs)
    try:
        inputs = locate_inputs(request, reduction, catalog)
    except DatasetNotFoundError as error:
        raise DatasetNotFoundError(
            f"an input of {pid} is not there, or not for you to see: {error.message}",
            where=error.where,
            next_step="ask who made it; an input that was withdrawn can't be replayed from",
        ) from error
    _check_roots(activity, inputs)
    return _Replay(activity, reduction, inputs, parameters)


def _check_roots(activity: Activity, inputs: LocatedInputs) -> None:
    recorded_roots = dict(zip(activity.used, activity.input_roots, strict=False))
    for (role, pid), (_, each) in zip(inputs.named, inputs.located, strict=True):
        root = recorded_roots.get(pid)
        if root is not None and root != each.record.root:
            raise InputChangedError(
                f"the input {role!r} has the root {each.record.root}, and {root} was recorded: "
                "it is not what was reduced",
                where=f"{pid}, {each.record.location}",
                next_step="look for a replica with the recorded root: "
                f"`hsc verify {pid} --all` looks at each",
            )


def _versions(replay: _Replay) -> tuple[VersionDifference, ...]:
    asked, then = replay.activity.parameters, replay.activity.environment
    here = environment((*NUMERIC, *replay.reduction.packages))
    # What an older release did not record is not known to differ.
    said: dict[str, tuple[str | None, str | None]] = {
        name: (version, here.packages.get(name)) for name, version in then.packages.items()
    }
    said |= {
        "python": (then.python, here.python),
        "source_commit": (then.source_commit, here.source_commit),
        "cpu": (asked.get("cpu"), cpu_level() if "cpu" in asked else None),
        f"reduction {replay.reduction.name}": (asked.get("version"), replay.reduction.version),
    }
    return tuple(
        VersionDifference(name=name, recorded=was, now=now)
        for name, (was, now) in sorted(said.items())
        if was != now
    )


@contextmanager
def _scratch(keep: str | None) -> Iterator[Path]:
    """Give a folder to write in: one that stays, or one that goes with the block.

    Raises
    ------
    ConfigurationError
        The folder to keep has something in it already, or can't be made.
    """
    if keep is None:
        # What Ctrl-C left running may still write a part.
        with tempfile.TemporaryDirectory(
            prefix="hsc-reproduce-", ignore_cleanup_errors=True
        ) as name:
            yield Path(name)
        return
    folder = Path(keep).absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        taken = any(folder.iterdir())
    except OSError as error:
        raise ConfigurationError(
            f"the folder to keep it in can't be made: {error.strerror}",
            where=str(folder),
            next_step="name a folder that may be written",
        ) from error
    if taken:
        raise ConfigurationError(
            "the folder to keep it in is not empty",
            where=str(folder),
            next_step="name a new one, or an empty one",
        )
    yield folder
