"""What every request passes before its endpoint: HTTP and JSON read strictly, bounds, refusals, and observation."""
