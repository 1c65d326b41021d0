"""Smaller and faster networks, and whether they really are."""
