"""Tag a column of a CSV file, a row for each entity: python examples/tag_csv.py MODEL FILE [COLUMN] > entities.csv."""

import sys

import pandas as pd

import mner

model, file, *column = sys.argv[1:]
entities = mner.tag_frame(pd.read_csv(file), mner.load(model), text=column[0] if column else "text", explode=True)
entities.dropna(subset=["entity_text"]).to_csv(sys.stdout, index_label="row")
