"""Read models: what is folded, committed, flipped and answered, against running servers."""
