"""Bluetooth Low Energy: one seam, one file a sensor family."""
