"""Small examples of every reduction: inputs in a store, and what to ask."""

from hsc.testing.reductions.placing import keep_dataset, resharded
from hsc.testing.reductions.table import EXAMPLES

__all__ = ["EXAMPLES", "keep_dataset", "resharded"]
