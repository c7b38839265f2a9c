"""What readiness and the workers say of how the service fares: checks, and what they are made of."""
