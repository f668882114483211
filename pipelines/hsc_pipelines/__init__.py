"""Prefect flows, thin: they gather arguments and call hsc.jobs."""
