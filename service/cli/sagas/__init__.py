"""The verbs that act on instances of sagas."""
