"""Frames to curves I(q) and to cakes, by pyFAI's geometry and our own sums."""
