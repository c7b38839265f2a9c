"""The processes of the service: each runs in the foreground until it is told to stop."""
