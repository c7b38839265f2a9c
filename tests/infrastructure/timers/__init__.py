"""Finding the deadlines of sagas that have passed."""
