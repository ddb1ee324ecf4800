"""Written dialogues about a book: what is asked is stored first, what is answered is stored as it grows."""
