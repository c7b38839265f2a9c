"""Accounts: opened, paid into, drawn from, charged for orders, never overdrawn."""
