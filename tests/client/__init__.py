"""The reference client: against small scripted servers, which say what no good server would, and against Ringback."""
