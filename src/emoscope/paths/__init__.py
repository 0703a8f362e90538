"""Names and paths that people and programs give: checked, opened, made into file names."""
