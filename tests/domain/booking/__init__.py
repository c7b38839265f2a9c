"""How a trip is booked, as its saga decides it."""
