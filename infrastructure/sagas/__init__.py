"""Runs sagas: a coordinator reacts to one message, a consumer feeds it from a persistent subscription."""
