"""`layerloom bench ui`: the budgets of the window (UI1 to UI20, ME1 to ME4), measured."""
