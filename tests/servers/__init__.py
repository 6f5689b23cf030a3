"""Servers on this machine that speak the real protocols of places that data lives."""
