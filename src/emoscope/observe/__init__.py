"""What happens, for those who operate a server: log lines and metrics."""
