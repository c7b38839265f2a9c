"""The rules of an order."""
