"""Rounds of sagas whose workers are killed at random."""
