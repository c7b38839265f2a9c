"""What the service calls outside of itself."""
