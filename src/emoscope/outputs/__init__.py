"""The outputs folder: run directories, their history, titles and corrections."""
