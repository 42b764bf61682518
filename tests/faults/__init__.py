"""Fault tests: the real program, a real server and a bad line; broken at random moments, and never a row lost."""
