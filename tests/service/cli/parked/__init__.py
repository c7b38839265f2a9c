"""`foldstream parked`, on groups that park what their consumers refuse."""
