"""How strictly settings are read: every name must be known, and no value stands in an error."""

from __future__ import annotations

from pydantic import ConfigDict

FORM = ConfigDict(extra="forbid", hide_input_in_errors=True)
