"""The training of the embedded ensemble `bengali-hate`: three small classifiers that differ in tokenisation and initialisation."""
