"""Secure mode: TLS, and users with passwords."""
