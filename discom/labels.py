"""The two numbers that say of a sample, or of a pixel, that it has no label."""

UNLABELLED = -1  # the class of a sample without a label
NO_LABEL = 255  # in a mask: void, border, unknown
