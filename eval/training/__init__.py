"""Training the head that tells whether a sentence states what a question asks, on texts written for it."""
