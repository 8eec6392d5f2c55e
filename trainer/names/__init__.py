"""The names of the segments: from what sets them apart, or by the rule of the preset ``rfm``."""
