"""`foldstream streams`, `read` and `append`: what the event store holds as it is stored, and repairs of it."""
