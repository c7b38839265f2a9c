"""`foldstream lag` and `foldstream projections`: how read models fare, and what they hold."""
