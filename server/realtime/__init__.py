"""Sockets as the server sees them: frames, connections, sessions, rooms, the heartbeat."""
