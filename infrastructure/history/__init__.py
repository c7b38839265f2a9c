"""Reads the past: the records of a stream, its state as of any time, its changes, and what caused what."""
