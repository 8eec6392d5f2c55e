"""Texts for people at a terminal."""
