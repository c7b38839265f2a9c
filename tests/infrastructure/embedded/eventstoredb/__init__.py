"""The embedded event store, asked by real clients over gRPC."""
