"""Plans and inventories as people read them in a terminal."""
