"""Finds deadlines of sagas that have passed, in a read model and in the log, and has each lead to what follows."""
