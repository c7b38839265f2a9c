"""The commands on tokens."""
