"""Serial crystallography: which frames have diffraction, and where their peaks are."""
