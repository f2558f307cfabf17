"""Questions with known answers: their files, where they come from, and how their facts are matched."""
