"""`foldstream poison`, with blocks that a worker made, or that were stored in its place."""
