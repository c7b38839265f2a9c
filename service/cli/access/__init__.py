"""The access log on the command line: what verbs put on record, and how it is read."""
