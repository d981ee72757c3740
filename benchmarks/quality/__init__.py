"""How good the topics are, beside the best known learners."""
