"""The two findings every label, score and map is about, in their fixed order."""

CLASSES = ("benign", "malignant")
"""Order of every 2-vector and 2-channel map: 0 benign, 1 malignant. Both can be present in one breast."""
