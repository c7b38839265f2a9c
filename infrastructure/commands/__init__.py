"""Decides commands against their streams, once per command id, and remembers aggregates in memory."""
