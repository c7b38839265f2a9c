"""What is said of a malformed request, as several tests expect it, and the content type of a body."""

from typing import Final

JSON: Final = {"Content-Type": "application/json"}
NOT_UUID: Final = "should be a UUID of 32 hexadecimal digits, with hyphens after the 8th, 12th, 16th and 20th"
NOT_NAME: Final = "should be 1 to 64 of A-Z a-z 0-9 . _ : -"
UNKNOWN: Final = "is not known here"
NO_TOKEN: Final = "is none of those that this service gives out"
NO_LIMIT: Final = "should be a whole number from 1 to 100"
TWICE: Final = "is said more than once"
