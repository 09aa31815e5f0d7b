"""From passages to an answer: every sentence with its page, or that there is none."""
