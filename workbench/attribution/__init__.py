"""The act of attribution: one forward and one backward pass under rules, many readings."""
