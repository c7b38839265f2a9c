"""An aggregate in memory: its state, and which commands have left something in its stream."""
