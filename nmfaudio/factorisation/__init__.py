"""Non-negative matrix factorisation: structures, divergences, penalties, solvers and the loop."""
