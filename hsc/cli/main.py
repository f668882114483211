"""The ``hsc`` command: a table of commands, each loaded when it is called."""

from __future__ import annotations

import gc
import io
import os
import signal
import sys
import time
import traceback
from importlib import import_module, metadata
from types import FrameType
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from hsc.cli.options import Json
from hsc.cli.output import answer, fail, json_wanted, refused_stdout, telling
from hsc.cli.parts import missing_part
from hsc.errors import HscError

# Command to the function that does it; applications add theirs by entry point "hsc.commands".
# What has a dot is a command within another: "catalog.rebuild" is `hsc catalog rebuild`.
COMMANDS = {
    "inspect": "hsc.cli.inspect:inspect",
    "ingest": "hsc.cli.ingest:ingest",
    "search": "hsc.cli.search:search",
    "show": "hsc.cli.show:show",
    "lineage": "hsc.cli.lineage:lineage",
    "verify": "hsc.cli.verify:verify",
    "reduce": "hsc.cli.reduce:reduce",
    "reductions": "hsc.cli.reductions:reductions",
    "reproduce": "hsc.cli.reproduce:reproduce",
    "export": "hsc.cli.export:export",
    "replicate": "hsc.cli.replicate:replicate",
    "fetch": "hsc.cli.fetch:fetch",
    "files": "hsc.cli.files:files",
    "amend": "hsc.cli.amend:amend",
    "annotate": "hsc.cli.annotate:annotate",
    "access": "hsc.cli.access:access",
    "activities": "hsc.cli.activities:activities",
    "retry": "hsc.cli.retry:retry",
    "gc": "hsc.cli.gc:gc",
    "catalog.rebuild": "hsc.cli.catalog:rebuild",
    "login": "hsc.cli.login:login",
    "doctor": "hsc.cli.doctor:doctor",
    "demo": "hsc.cli.demo:demo",
}

GROUPS = {
    "account": "Ask the accounts file, and give and take roles",
    "catalog": "Look after a catalog",
    "scicat": "Exchange records with a facility's SciCat",
    "token": "Make, list and withdraw API tokens",
}
"""What a command is for that has others within it."""

_STOPPED = 130
# Of these nothing is kept that they could go on from.
_ANEW = ("reduce", "reproduce")
# Two signals so close are one wish.
_SAME_S = 0.5


class Commands(TyperGroup):
    """The commands, found in the table and in entry points, imported one by one."""

    within = ""
    """What the names of this group's commands begin with in the table."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Give all names, in the order of the table."""
        return list(dict.fromkeys(name.partition(".")[0] for name in self._table()))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Load a command."""
        table = self._table()
        if cmd_name in table:
            single = typer.Typer(add_completion=False, rich_markup_mode=None)
            single.command(cmd_name)(_load(table[cmd_name]))
            return typer.main.get_command(single)
        inner = [name for name in table if name.startswith(f"{cmd_name}.")]
        if not inner:
            return None
        names = ", ".join(name.partition(".")[2] for name in inner)
        told = GROUPS.get(f"{self.within}{cmd_name}", "Commands")
        group = Commands(name=cmd_name, help=f"{told}: {names}.", rich_markup_mode=None)
        group.within, group.no_args_is_help = f"{self.within}{cmd_name}.", True
        return group

    def _table(self) -> dict[str, str]:
        others = dict(sorted(_others().items()))
        return {
            name.removeprefix(self.within): target
            for name, target in {**COMMANDS, **others, **COMMANDS}.items()
            if name.startswith(self.within)
        }

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands with what each is for; one that can't be loaded says why."""
        rows = []
        for name in self.list_commands(ctx):
            try:
                rows.append((name, self.get_command(ctx, name).get_short_help_str(80)))
            except ImportError as error:
                rows.append((name, f"(not usable here: {error})"))
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def invoke(self, ctx: Any) -> Any:
        """Run a command; stopped by its user it ends without a traceback."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            anew = ctx.invoked_subcommand in _ANEW
            text = f"stopped; the same command {'begins anew' if anew else 'goes on where it was'}"
            answer({"error": "KeyboardInterrupt", "message": text}, text, to_stderr=True)
            raise SystemExit(_STOPPED) from None


app = typer.Typer(
    cls=Commands,
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        number = metadata.version("hanseatic-science-cloud")
        answer({"version": number}, f"hsc {number}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and end.", callback=_tell_version, is_eager=True
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Hanseatic Science Cloud: facility HDF5 as lazy, checked Zarr; every number has a history.

    Every command takes --json: one JSON document on stdout, everything else on stderr. Exit codes:
    0 done, 1 an error, 2 wrong usage, 3 done with recorded gaps.
    """


def main() -> None:
    """Run the ``hsc`` command; its errors become a message and an exit code."""
    _hear_signals()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # file names may hold what is no UTF-8
            stream.reconfigure(errors="backslashreplace")
    # A plan of many arrays is made of small things that stay to the end: to look for cycles among
    # them time and again takes a tenth of an ingest.
    gc.set_threshold(50_000, 20, 100)
    try:
        try:
            app()
        finally:
            with telling():  # else Python writes it at its end, when nobody can tell of an error
                sys.stdout.flush()
    except SystemExit as ended:
        if ended.code == 2 and json_wanted():
            answer({"error": "UsageError", "message": "wrong usage; stderr says more"}, "")
        if ended.code == _STOPPED:
            _leave_threads()
        raise
    except HscError as error:
        sys.exit(fail(error))
    except ModuleNotFoundError as error:
        # hsc's own modules are always there: what is missing is a package of an extra.
        own = (error.name or "").startswith("hsc")
        sys.exit(_defect(error) if own else fail(missing_part(error)))
    except Exception as error:
        full = refused_stdout(error)
        sys.exit(_defect(error) if full is None else fail(full))


def _hear_signals() -> None:
    """Let the first Ctrl-C end the command with all that is to be told, the second at once."""
    heard = False
    first_s = 0.0

    def stop(_: int, __: FrameType | None) -> None:
        nonlocal heard, first_s
        if not heard:
            heard, first_s = True, time.monotonic()
            raise KeyboardInterrupt
        # Who sends two kinds of signal to a whole group, as batch systems do, means it once.
        if time.monotonic() - first_s > _SAME_S:
            os._exit(_STOPPED)

    # Batch systems end a job with SIGTERM: the activity is told as stopped, as by Ctrl-C.
    signal.signal(signal.SIGTERM, stop)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # a shell may have it ignored
        signal.signal(signal.SIGINT, stop)


def _leave_threads() -> None:
    """End now where threads are in the middle of what nobody waits for: Python would wait."""
    from hsc.workers import left_running

    if left_running():
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(_STOPPED)


def _defect(error: Exception) -> int:
    """Tell of an error that nobody foresaw: the traceback for us, the rest for whoever met it."""
    traceback.print_exception(error)
    what = f"{type(error).__name__}: {error}"
    told = HscError(
        f"a defect of hsc: {what}",
        next_step="report it with the lines above; `hsc doctor` may say more",
    )
    document = {**told.document(), "error": type(error).__name__}
    answer(document, f"error: {told}", to_stderr=True)
    return told.exit_code


def _others() -> dict[str, str]:
    return {entry.name: entry.value for entry in metadata.entry_points(group="hsc.commands")}


def _load(target: str) -> Any:
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)


if __name__ == "__main__":
    main()
