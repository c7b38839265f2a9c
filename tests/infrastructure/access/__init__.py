"""Tests of finding out who asks."""
