"""`foldstream lag` and `foldstream projections`, on a worker of their own."""
