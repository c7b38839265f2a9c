"""What the API offers: endpoints, what they are sent, and what they answer."""
