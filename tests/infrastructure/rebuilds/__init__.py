"""What tests of rebuilds share."""
