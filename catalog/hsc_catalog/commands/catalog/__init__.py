"""Commands under ``hsc catalog``: what its operator does with a catalog."""
