"""What ``hsc bench reductions`` measures: reductions against how they are done without hsc."""
