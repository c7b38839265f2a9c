"""What a command finds in the log, and what it leaves there."""
