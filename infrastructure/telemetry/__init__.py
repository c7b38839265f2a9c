"""Traces of what happens across processes, and how an event carries the one that it belongs to."""
