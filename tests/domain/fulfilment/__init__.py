"""The rules of fulfilling an order."""
