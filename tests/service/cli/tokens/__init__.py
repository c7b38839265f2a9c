"""Tests of the commands on tokens."""
