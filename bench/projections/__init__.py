"""Measures how fast the log is folded into read models."""
