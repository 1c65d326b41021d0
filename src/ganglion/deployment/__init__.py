"""What leaves Ganglion: exported, served, watched; compared with the original before it does."""
