"""Recording an activity as it happens: begun, then done or failed, whatever comes between."""

from __future__ import annotations

import getpass
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from ulid import ULID

from hsc.errors import HscError
from hsc.model import Activity, ActivityState, Agent, Edge, Failure, Pid, now, plain_text
from hsc.provenance.environment import DISTRIBUTION, environment, version


class Recorder(Protocol):
    """Keeps activities."""

    def record(self, activity: Activity) -> None:
        """Keep an activity as it now stands, in place of what was known of it."""
        ...


class RunningActivity:
    """An activity that is under way; what it used and made is noted as it becomes known."""

    def __init__(self, begun: Activity) -> None:
        self._facts = begun

    @property
    def activity(self) -> Activity:
        """The activity as it now stands."""
        return self._facts

    @property
    def id(self) -> str:
        """Its ULID."""
        return self._facts.id

    @property
    def settled(self) -> bool:
        """Whether its end was told already."""
        return self._facts.state is not ActivityState.RUNNING

    def note(self, **facts: Any) -> None:
        """Note facts of the activity, by the names of the record's fields."""
        self._facts = self._facts.model_copy(update=facts)

    def as_done(self) -> Activity:
        """Word it as it will stand if it ends well now; it goes on."""
        return self._facts.model_copy(update={"state": ActivityState.DONE, "ended": now()})

    def done(self, worded: Activity | None = None) -> Activity:
        """End it well; the caller registers it together with what it made.

        Parameters
        ----------
        worded
            What `as_done` gave, where that was told already; None: word it now.
        """
        self._facts = worded or self.as_done()
        return self._facts

    def failed(self, error: BaseException) -> Activity:
        """End it with an error."""
        self.note(state=ActivityState.FAILED, ended=now(), failure=_failure(error))
        return self._facts

    def edges(self, dataset: Pid, roles: Iterable[tuple[str, str]] = ()) -> list[Edge]:
        """Word the PROV statements of the activity about a dataset that it made.

        Parameters
        ----------
        dataset
            What it made.
        roles
            Role and what was used in it: a dataset may have been used in several.
        """
        made, did = str(dataset), f"activity:{self.id}"
        edges = [Edge(subject=made, predicate="was_generated_by", object=did)]
        played = list(dict.fromkeys(roles))
        for used in self._facts.used:
            theirs: list[str | None] = [role for role, name in played if name == used]
            for role in theirs or [None]:
                edges.append(Edge(subject=did, predicate="used", object=used, role=role))
                edges.append(
                    Edge(subject=made, predicate="was_derived_from", object=used, role=role)
                )
        edges += [
            Edge(subject=did, predicate="was_associated_with", object=f"agent:{agent.id}")
            for agent in self._facts.agents
        ]
        return edges


@contextmanager
def recorded(
    recorder: Recorder,
    kind: str,
    parameters: dict[str, Any],
    *,
    runner: str = "process",
    flow_run_id: str | None = None,
    retry_of: str | None = None,
) -> Iterator[RunningActivity]:
    """Record an activity around a block: its begin at once, its failure if the block raises.

    Parameters
    ----------
    recorder
        Where to.
    kind
        ``ingest``, ``reduce`` ...
    parameters
        Everything that was asked, defaults written out; no secrets.
    runner, flow_run_id
        What drives it.
    retry_of
        ULID of the failed activity that it tries again; None: it is a first try.
    """
    running = RunningActivity(
        Activity(
            id=str(ULID()),
            type=kind,
            state=ActivityState.RUNNING,
            started=now(),
            parameters=parameters,
            environment=environment(),
            agents=_agents(),
            runner=runner,
            flow_run_id=flow_run_id,
            retry_of=retry_of,
        )
    )
    recorder.record(running.activity)
    try:
        yield running
    except BaseException as error:
        if not running.settled:
            recorder.record(running.failed(error))
        raise


def _agents() -> tuple[Agent, ...]:
    software = Agent(kind="software", id=f"{DISTRIBUTION}@{version()}")
    try:
        person = Agent(kind="person", id=getpass.getuser())
    except (KeyError, OSError):  # a container without a name for its user
        return (software,)
    return (software, person)


def _failure(error: BaseException) -> Failure:
    if isinstance(error, HscError):
        return Failure(**error.document())
    if isinstance(error, KeyboardInterrupt):
        return Failure(error="KeyboardInterrupt", message="stopped by its user")
    return Failure(error=type(error).__name__, message=plain_text(str(error)))
