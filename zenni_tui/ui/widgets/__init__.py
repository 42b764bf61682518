"""The parts screens are made of, drawn line by line."""
