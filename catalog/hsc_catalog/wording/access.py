"""Access as the audit log has it: who may see something, with pseudonyms for accounts."""

from __future__ import annotations

from typing import Any

from hsc.model import canonical_json
from hsc_catalog.access import AccessSet, Standing
from hsc_catalog.wording.agents import Agents


def standing_text(standing: Standing, agents: Agents) -> str:
    """Word how a dataset stands."""
    told = _set(standing.access, agents)
    return _text({**told, "owner": agents.of(standing.owner), "flagged": standing.flagged})


def set_text(access: AccessSet | None, agents: Agents) -> str:
    """Word an access set; None: there is none."""
    return _text(None if access is None else _set(access, agents))


def _set(access: AccessSet, agents: Agents) -> dict[str, Any]:
    kept = access.collapsed()
    clauses = [sorted(map(agents.key, clause)) for clause in kept.clauses()]
    return {
        "visibility": kept.visibility,
        "access_class": kept.access_class,
        "embargo": kept.embargo,
        "clauses": [clauses[0], *sorted(clauses[1:])],
    }


def _text(value: Any) -> str:
    return canonical_json(value).decode("utf-8", "surrogatepass")
