trace = add_columns(pd.read_csv(f"{RESULTS}/trace.csv", **READ), runs, ["run"])
