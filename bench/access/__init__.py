"""What it costs to ask who sends a request, and whether they may."""
