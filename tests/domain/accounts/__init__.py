"""The rules of an account."""
