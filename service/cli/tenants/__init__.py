"""`foldstream tenants`: which tenants there are, and what they have."""
