"""The verbs that look at instances of sagas and act on them."""
