"""Admission control: how many requests run, wait and upload at once."""
