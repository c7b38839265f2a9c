"""Measures commands: their cost here, with other libraries and at best, long streams, and overload."""
