"""Paths, names and choices that users give: validation, and file names derived from them."""
