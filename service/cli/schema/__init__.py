"""`foldstream schema`: how events are stored, and whether a store holds any that can't be read."""
