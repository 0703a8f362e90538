"""Validation of user-given paths and names, and file names derived from them."""
