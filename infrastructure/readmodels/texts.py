"""Texts as Redis replies them: in bytes, since its clients here decode nothing."""


def text_of(reply: bytes | str) -> str:
    """The reply as text, as it is where a client has decoded it; bytes that are no UTF-8 are escaped."""
    return reply.decode(errors="backslashreplace") if isinstance(reply, bytes) else reply
