"""The ``hsc`` command, and what the commands of applications answer with."""

from hsc.cli.options import Json
from hsc.cli.output import answer, json_wanted, show_table

__all__ = ["Json", "answer", "json_wanted", "show_table"]
