"""Written dialogues with an assistant."""
