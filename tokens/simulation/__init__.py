"""Days played through the real actions with a simulated clock: made-up, recorded, and real ones from a file."""
