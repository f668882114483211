"""Benchmarks: one file per question, each a command that prints a table and JSON."""
