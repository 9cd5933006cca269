vectors = pd.read_csv(f"{RESULTS}/vectors.csv", **READ)
vectors = add_columns(add_columns(vectors, trace, ["run", "step"]), runs, ["run"])
