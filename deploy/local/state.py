"""The state folder: which daemons were started for it, on which port, and whose turn it is."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from daemon import Daemon


class StateError(Exception):
    """The state folder can't be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class State:
    """What is known of one local deployment."""

    port: int | None = None
    """The port of the server, or of the last one; None before the first."""
    daemons: tuple[Daemon, ...] = ()
    """What was started and not yet taken down, in the order of starting."""


def read(folder: Path) -> State:
    """Read the state; an empty one if there is none.

    Raises
    ------
    StateError
        The state file is not one that this program wrote.
    """
    path = folder / "state.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return State(
            port=document["port"],
            daemons=tuple(Daemon(**entry) for entry in document["daemons"]),
        )
    except FileNotFoundError:
        return State()
    except (ValueError, KeyError, TypeError) as error:
        raise StateError(
            f"{path} can't be read ({error}); end what it names by hand, then remove the file"
        ) from error


def write(folder: Path, state: State) -> None:
    """Write the state, whole or not at all."""
    document = {"port": state.port, "daemons": [daemon.document() for daemon in state.daemons]}
    path = folder / "state.json"
    draft = path.with_suffix(".json.new")
    with draft.open("w", encoding="utf-8") as file:
        json.dump(document, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep a second ``up`` or ``down`` off the same folder.

    Raises
    ------
    StateError
        Another one is at work there, or the folder can't be made.
    """
    try:
        # What lies here can start flows as this user: nobody else reads it.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (folder / "lock").open("w")
    except OSError as error:
        raise StateError(f"{folder} can't be used: {error}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StateError(
                f"another `up` or `down` is at work on {folder}; wait for it"
            ) from error
        yield
