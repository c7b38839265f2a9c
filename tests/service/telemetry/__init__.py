"""Who may do what, by the policies."""
