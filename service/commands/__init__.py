"""The groups of commands, each in a module of its own that loads only what it runs."""
