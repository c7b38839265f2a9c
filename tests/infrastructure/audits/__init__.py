"""Audits of read models."""
