"""What becomes of a saga whatever is redelivered, raced or killed."""
