"""Catch-up subscriptions: what is handed over, in which order, and what ends it."""
