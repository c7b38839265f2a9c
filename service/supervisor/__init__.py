"""`foldstream serve`: every process of the service on one machine, started in order, kept alive, stopped in order."""
