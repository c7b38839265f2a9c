"""How events are stored, moved and watched: EventStoreDB, Redis, and the servers for one machine."""
