"""`foldstream doctor`: each line is provoked by what it is there to find."""
