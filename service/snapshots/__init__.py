"""What `foldstream snapshots` shows and does."""
