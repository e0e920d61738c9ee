"""Files and figures for people: the register of claims against carriers, the worksheet of tasks, the summary of what was done."""
