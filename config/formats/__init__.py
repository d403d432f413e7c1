"""How the admin writes days and instants, by language: as the portal does."""
