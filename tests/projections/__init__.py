"""What the read models remember: whole rows, compared exactly."""
