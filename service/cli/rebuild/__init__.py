"""`foldstream rebuild`: a projection built anew beside the live generation, rolled back, or one stream of it mended."""
