"""`foldstream poison`: streams that a projection can't go on with, and what operators do about them."""
