"""What a stack of frames adds up to, and which of its pixels can't be believed."""
