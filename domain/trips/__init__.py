"""Trips, and what they are made of: a car, a hotel room and seats on a flight."""
