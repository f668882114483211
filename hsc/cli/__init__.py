"""The ``hsc`` command."""
