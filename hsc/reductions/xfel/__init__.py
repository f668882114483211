"""Pictures of pulsed X-ray lasers, corrected pulse by pulse."""
