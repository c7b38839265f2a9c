"""Who may do what: the actions there are, the policies over them, and the one function that asks these."""
