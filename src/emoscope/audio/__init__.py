"""Sound in: decode, check, cut."""
