"""Bad networks, bad clients, a stalled database, a server that stops: what holds, holds then too."""
