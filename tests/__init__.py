"""The tests: the tree lists the outcomes."""
