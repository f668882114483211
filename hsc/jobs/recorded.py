"""What an activity recorded of a reduction, so that it can be asked for again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hsc.model import Activity, Pid


def subject(name: str, inputs: Iterable[tuple[str, Pid | str]]) -> str:
    """Say what a reduction is of, as it is asked for.

    Examples
    --------
    >>> subject("biosaxs", [("sample", "a/1"), ("", "a/2")])
    'biosaxs sample=a/1 a/2'
    """
    return " ".join([name, *(f"{role}={pid}" if role else str(pid) for role, pid in inputs)])


def recorded_subject(activity: Activity) -> str:
    """Say what an activity is about: its path, or the reduction with its inputs."""
    if activity.type == "reduce":
        return subject(str(activity.parameters.get("name", "")), recorded_inputs(activity))
    return str(activity.parameters.get("path", ""))


def recorded_inputs(activity: Activity) -> tuple[tuple[str, str], ...]:
    """Give role and PID of each input, from before or after the datasets were looked up."""
    # Release 0.1.0 recorded one dataset for each role, as an object.
    recorded: Any = activity.parameters.get("inputs")
    pairs = recorded.items() if isinstance(recorded, dict) else recorded or ()
    return tuple((str(role), str(pid)) for role, pid in pairs)


def recorded_given(activity: Activity) -> dict[str, Any]:
    """Give ``parameters`` and ``recipe`` as they were given, of what may have the defaults in it.

    Empty where it is not recorded where each was given.
    """
    every, sources = (activity.parameters.get(name) for name in ("parameters", "sources"))
    if not isinstance(sources, dict) or not isinstance(every, dict):
        return {}
    parts = {"parameters": "-p", "recipe": "recipe"}
    return {
        part: {name: every[name] for name, by in sources.items() if by == source and name in every}
        for part, source in parts.items()
    }
