"""What the domain decides: the file names are the rules."""
