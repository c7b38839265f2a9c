"""Looks back: what a stream held, what it amounted to at any time, what changed, and what caused what."""
