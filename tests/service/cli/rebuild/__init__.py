"""`foldstream rebuild`: what it prints, records and refuses."""
