"""Errors about where work runs, and of what is reduced."""

from __future__ import annotations

from hsc.errors.base import HscError


class WorkerError(HscError):
    """Something is wrong with where work runs."""


class WorkerUnfitError(WorkerError):
    """A worker does not see the source or the store, or runs other versions."""


class WorkersLostError(WorkerError):
    """Workers died with their tasks, or their scheduler can't be reached any more."""


class WorkStoppedError(WorkerError):
    """Work was ended, because other work failed or its user stopped it."""


class NotRetriableError(HscError, ValueError):
    """An activity that can't be run again from what it recorded."""


class NotReproducibleError(HscError, ValueError):
    """A dataset whose making can't be replayed from what was recorded of it."""


class ReductionError(HscError):
    """A reduction can't be run as asked."""


class UnknownReductionError(ReductionError, KeyError):
    """There is no reduction of that name."""

    __str__ = HscError.__str__


class ParameterError(ReductionError, ValueError):
    """A reduction's parameter is missing or impossible."""


class RoleMissingError(ReductionError, KeyError):
    """A dataset has no array for a role that the reduction needs."""

    __str__ = HscError.__str__


class InputChangedError(ReductionError):
    """An input is no more what a recorded reduction was made of."""
