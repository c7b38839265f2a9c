"""Compares read models with what the log comes to, at one position, and mends what differs."""
