"""What finished runs say: what changed between two, where one is weak, which is best."""
