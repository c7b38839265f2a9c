"""The rules of the parts of a trip: a day's cars, a night's rooms, a cabin's seats."""
