"""Keys and mouse of the page of an exam, as its help lists them; viewer/exam.js does what they say."""

KEYS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("Drag",), "what Drag says: window (across) and level (up), pan, or draw a lesion"),
    (("W", "P", "E"), "drag changes window and level, pans, draws an ellipse"),
    (("Right drag",), "pan"),
    (("Wheel", "+", "-"), "zoom"),
    (("Arrows",), "pan"),
    (("Shift + arrows",), "window narrower and wider, level up and down"),
    (("A",), "window and level as at first"),
    (("R",), "views, window and level as at first"),
    (("I",), "invert black and white"),
    (("L",), "link the views: zoom and pan move all of them"),
    (("Enter", "Double click"), "one view alone, and back"),
    (("Escape",), "back to all views"),
    (("C",), "next class"),
    (("M",), "map: off, colour, contour"),
    (("[", "]"), "threshold down, up"),
    ((",", "."), "opacity down, up"),
    (("N", "Shift + N"), "next finding, the one before"),
    (("F", "B", "T"), "findings, patches, truth on and off"),
    (("O",), "prior exam beside each view, on and off, where there is one"),
    (("Tab",), "to the next view, control or finding"),
    (("?",), "this list"),
)
"""(keys, what they do)."""
