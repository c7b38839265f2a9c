"""How sagas run: a coordinator that reacts to one message, and a consumer that feeds it from a group."""
