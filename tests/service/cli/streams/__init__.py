"""`foldstream streams`, `read` and `append`."""
