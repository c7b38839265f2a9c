"""Measures sagas: steps and orders a second, how soon an order is shipped, and what open deadlines cost."""
