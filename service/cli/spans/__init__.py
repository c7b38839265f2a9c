"""`foldstream spans`: the traces in a file that processes have written their spans into."""
