"""`layerloom bench ui`: the budgets of the window (UI1 to UI19, ME1 to ME4), measured."""
