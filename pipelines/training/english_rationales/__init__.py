"""The training of the embedded classifier `english-toxic`: is an English post offensive? Its reasons are compared with rationales."""
