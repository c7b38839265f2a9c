"""Loads begin at snapshots, and come out as if there were none, whatever stands where a snapshot should be."""
