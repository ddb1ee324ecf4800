"""Frames, connections, sessions and the heartbeat, without a socket."""
