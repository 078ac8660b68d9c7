"""What the structured losses are made of."""
