"""What a worker says about itself: health, metrics, logs."""
