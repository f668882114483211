"""Commands that the catalog adds to ``hsc``, by entry points "hsc.commands"."""
