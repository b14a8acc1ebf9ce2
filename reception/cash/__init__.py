"""The cash desk: bills that are owed, money that is taken and given back, the shift, and the papers of all that."""
