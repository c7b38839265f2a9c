"""How events were stored, and what they mean today."""
