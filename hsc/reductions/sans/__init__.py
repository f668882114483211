"""Neutron small-angle scattering in event mode: events, monitors and transmission to I(Q)."""
