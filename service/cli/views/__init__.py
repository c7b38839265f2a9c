"""The verbs of `foldstream views`: which views of the past there are, and dropping them."""
