"""Publishing a release and rolling it back."""
