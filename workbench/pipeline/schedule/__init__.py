"""Running pipelines again and again: slots of time, one completed run for each, whatever happens to the clock or the machine."""
