"""Figures of a result: the emotion curve as SVG, and the report as one HTML file."""
