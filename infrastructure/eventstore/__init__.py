"""The client side of the event store: reading, deciding and appending under optimistic concurrency."""
