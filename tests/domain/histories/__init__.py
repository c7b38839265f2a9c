"""Random histories from the declared commands of every decider, and what must be true of each of them."""
