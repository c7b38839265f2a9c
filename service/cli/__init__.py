"""The command line `foldstream`; the module of a command loads only what it runs."""
