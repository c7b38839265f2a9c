"""How numbers of things are said."""


def counted(number: int, noun: str) -> str:
    """Such as `1 message`, `2,000 messages`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
