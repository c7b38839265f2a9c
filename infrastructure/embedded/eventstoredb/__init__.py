"""An event store that speaks the gRPC protocol of EventStoreDB, on SQLite in one folder or in memory."""
