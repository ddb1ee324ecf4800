"""Books: what people read and ask about; Ringback's own handbook is one of them."""
