"""The HTTP API: requests become commands and queries; outcomes and refusals become answers."""
