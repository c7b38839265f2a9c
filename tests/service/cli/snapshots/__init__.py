"""`foldstream snapshots`, on streams of accounts and articles."""
