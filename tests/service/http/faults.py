"""What is said of a malformed request, as several tests expect it, and the content type of a body."""

from typing import Final

JSON: Final = {"Content-Type": "application/json"}
UUID: Final = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
NOT_UUID: Final = f"should match pattern '{UUID}'"
NOT_NAME: Final = "should match pattern '^[A-Za-z0-9._:-]{1,64}$'"
UNKNOWN: Final = "is not known here"
NO_TOKEN: Final = "is none of those that this service gives out"
NO_LIMIT: Final = "should be a whole number from 1 to 100"
TWICE: Final = "is said more than once"
