"""Read models built anew beside the live one: by processes of their own, flipped at once, and rolled back."""
