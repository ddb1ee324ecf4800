"""The WebSocket handlers on real sockets."""
