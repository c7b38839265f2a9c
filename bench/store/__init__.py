"""Measures the embedded event store: reads, appends, deliveries, and the cost of a long log."""
