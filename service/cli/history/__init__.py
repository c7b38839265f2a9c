"""`foldstream history`, `as-of`, `changes`, `trace`, `export` and `replay`: the commands that look back."""
