"""`foldstream subscriptions`: how the persistent subscriptions of the event store fare, and who consumes them."""
