"""Measures the command side: what a command costs here, with other libraries and at best, and what a crowd does."""
