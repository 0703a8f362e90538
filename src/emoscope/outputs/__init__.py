"""Outputs folder: run directories, history, titles and corrections."""
