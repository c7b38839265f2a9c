"""What `foldstream history`, `as-of`, `changes`, `trace`, `export` and `replay` show."""
