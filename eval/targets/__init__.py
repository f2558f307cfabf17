"""What the assistant is to reach, part by part, and the programs that measure and fit it."""
