"""What is remembered for queries: pure folds of events into rows."""
