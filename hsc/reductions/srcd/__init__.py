"""Circular dichroism: scans averaged, baseline subtracted, per residue or molecule."""
