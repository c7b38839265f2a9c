"""Loads aggregates, decides commands on them, remembers them in memory and in snapshots."""
