"""How the table of word vectors is made, and how heads are fitted on it."""
