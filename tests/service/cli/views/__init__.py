"""`foldstream rebuild --into` and `foldstream views`, as an operator uses them."""
