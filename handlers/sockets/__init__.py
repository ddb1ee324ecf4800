"""The WebSocket handlers, one file a kind, on a frame layer of their own."""
