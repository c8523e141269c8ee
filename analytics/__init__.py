"""The body: arrays in SI units in, measurements out. No I/O, no clock."""
