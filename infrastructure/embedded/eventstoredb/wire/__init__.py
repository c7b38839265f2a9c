"""The gRPC surface: calls, statuses and messages as EventStoreDB 24.10 answers them."""
