"""What it costs to record traces, and to be able to."""
