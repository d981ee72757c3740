"""The integer co-occurrence of words: counted, stored by rows, added and subtracted."""
