"""Filters of $all: which events pass, within what time, and where checkpoints come between them."""
