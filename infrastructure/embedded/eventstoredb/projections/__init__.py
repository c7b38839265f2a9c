"""System projections: streams of links by category, by event type, by correlation id, and lists of streams."""
