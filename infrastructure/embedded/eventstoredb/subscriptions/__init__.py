"""Catch-up subscriptions: which events pass, where checkpoints come, when a reader has caught up."""
