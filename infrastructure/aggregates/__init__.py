"""An aggregate in memory: its state, and the ids of the commands that have taken effect on it."""
