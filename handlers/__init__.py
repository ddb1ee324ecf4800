"""What answers requests: pages, the API, sockets."""
