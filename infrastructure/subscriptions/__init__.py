"""How the log is followed: frames of catch-up subscriptions, and what to do after a failure."""
