"""Find or download the programs of local servers, and keep downloads in a cache."""
