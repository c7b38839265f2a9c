"""What is decided: pure functions over events, without I/O, clock or random ids."""
