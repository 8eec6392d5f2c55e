"""Where the programs of local servers come from, and where downloads are kept."""
