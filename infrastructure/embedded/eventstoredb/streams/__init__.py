"""What appending, deleting and reading mean for one stream: versions, idempotency, metadata, links."""
