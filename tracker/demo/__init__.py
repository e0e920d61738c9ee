"""The demo: a whole story on a simulated clock, through the real pipeline."""
