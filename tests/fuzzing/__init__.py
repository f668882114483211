"""Files with damage of all kinds, taken in and compared: never a crash, a hang or a silent loss."""
