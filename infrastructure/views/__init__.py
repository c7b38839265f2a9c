"""Views of the past: read models as of a time or a position, beside the live ones, until they expire."""
