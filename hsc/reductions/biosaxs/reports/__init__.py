"""What a user takes home from a solution-scattering reduction: files below ``files/``."""
