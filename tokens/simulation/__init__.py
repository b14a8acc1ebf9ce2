"""Days played through the real actions with a simulated clock: made-up ones, recorded ones, and real ones from a file."""
