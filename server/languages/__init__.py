"""The languages that Ringback speaks: sentences, their translations, and who gets which."""
