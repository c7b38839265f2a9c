"""Measures the embedded event store: reading, appending, delivering, and what it costs to have a long log."""
