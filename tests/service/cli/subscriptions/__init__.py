"""`foldstream subscriptions`, on groups with and without consumers."""
