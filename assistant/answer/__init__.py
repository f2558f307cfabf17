"""From a question and its passages to a cited answer, or to a refusal that says why."""
