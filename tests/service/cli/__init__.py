"""The command line: what it prints, what it does, what it refuses."""
