"""Orders: created, changed, confirmed, and then shipped or cancelled."""
