"""Follows the log: catch-up subscriptions that hand over frames, and what to do after a failure."""
