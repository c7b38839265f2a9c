"""Views of the past: what they hold, how they are built, and how they go."""
