"""`foldstream parked`: the messages that persistent subscriptions have set aside, and what operators do about them."""
