"""Snapshots: states stored beside streams, so that a load costs the same however long its stream is."""
