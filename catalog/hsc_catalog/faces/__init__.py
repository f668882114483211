"""The catalog's faces over HTTP, and what all of them share."""
