"""The training of the embedded sentence encoder `multilingual-similarity`: all-MiniLM-L6-v2 distilled into four languages."""
