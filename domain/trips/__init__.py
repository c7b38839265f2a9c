"""What a trip is made of: a car, a hotel room and a seat on a flight, each reserved, confirmed or released."""
