"""The rules of the stock of one SKU."""
