"""What operators see of sagas."""
