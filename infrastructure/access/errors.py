"""Errors of access.

Unauthenticated   a token says nothing that can be believed
"""


class Unauthenticated(Exception):
    """A token that can't be believed; the text says why, in one line and without the token."""
