"""What loads plugins: registration, entry points, wrappers, and the source of an event that names none."""
