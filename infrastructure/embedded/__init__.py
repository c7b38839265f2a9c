"""Servers for one machine: an event store and a Redis-compatible cache that need nothing installed."""
