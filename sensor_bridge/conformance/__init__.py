"""Examining a sensor: which clauses of the protocol page it keeps."""
