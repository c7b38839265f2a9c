"""The log on disk: what a record is, and how records are written, committed and read."""
