"""The rules of trips and of their parts: a day's cars, a night's rooms, a cabin's seats."""
