"""People: what they are to each other, and who of them is there."""
