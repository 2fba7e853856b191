"""EVALUATION: how far a relevance number can be trusted: perturbation metrics, planted truth, significance of words."""
