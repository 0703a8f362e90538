"""HTTP server: REST API, live streams, jobs and the web page."""
