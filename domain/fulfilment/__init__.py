"""Fulfilment of orders across stock, accounts and orders."""
