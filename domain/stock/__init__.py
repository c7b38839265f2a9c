"""Stock of one SKU: received, held for orders, given back, consumed, written off."""
