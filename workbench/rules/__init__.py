"""The mathematics: each rule is a function with the same value and another derivative, gathered into named composites."""
