"""Whoever answers, behind one small protocol: :mod:`server.dialogues.responders.responder`."""
