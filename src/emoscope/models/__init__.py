"""Model catalog: which models exist and where their files are."""
