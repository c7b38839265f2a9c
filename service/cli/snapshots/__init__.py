"""`foldstream snapshots`: where loads begin, and snapshots dropped or taken anew."""
