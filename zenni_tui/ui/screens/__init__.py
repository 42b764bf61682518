"""The screens and the panels of the steps."""
