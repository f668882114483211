"""Caller: who asks, with the groups, roles and scopes they have now."""

from __future__ import annotations

from dataclasses import dataclass

from hsc.model import Pid


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks a catalog for something.

    Examples
    --------
    >>> sorted(Caller("anna", groups=frozenset({"maxiv/20260123"})).keys())
    ['maxiv/20260123', 'user:anna']
    """

    subject: str | None = None
    """The account, unique among all providers of accounts; None: nobody signed in."""
    groups: frozenset[str] = frozenset()
    """Groups they are in: a proposal's is called as in ``maxiv/20260123``."""
    roles: frozenset[str] = frozenset()
    """``administrator``, ``ingestor``."""
    staff_of: frozenset[str] = frozenset()
    """Instruments they are staff of, as in ``maxiv/CoSAXS``."""
    leads: frozenset[str] = frozenset()
    """Proposals that they are principal investigator of."""
    scopes: frozenset[str] = frozenset({"read"})
    """What their token is good for: ``read``, ``ingest``, ``write``, ``share``, ``admin``."""
    datasets: frozenset[Pid] = frozenset()
    """Datasets that a reviewer's link opens, to read."""
    operator: bool = False
    """Whether they opened the database itself: then they see and may do everything."""

    def keys(self) -> frozenset[str]:
        """Give the names that access sets know them by."""
        own = set() if self.subject is None else {f"user:{self.subject}"}
        staff = {f"staff:{instrument}" for instrument in self.staff_of}
        return self.groups | self.leads | staff | own


ANONYMOUS = Caller()
"""Whoever did not sign in."""

OPERATOR = Caller(
    scopes=frozenset({"read", "ingest", "write", "share", "admin"}),
    roles=frozenset({"administrator"}),
    operator=True,
)
"""Whoever opened the database itself; the audit log has their account on this machine."""
