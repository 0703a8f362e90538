"""Official weights from a hub onto this machine: fetched, checked, converted, cached."""
