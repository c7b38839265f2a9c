"""Read models in Redis: folded from the log with exactly-once effects, rebuilt in generations, read at a position."""
