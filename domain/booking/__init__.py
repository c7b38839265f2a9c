"""Booking of trips across cars, rooms, flights and trips."""
