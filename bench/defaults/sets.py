"""What the scripts know of the sets: the label column, the kind of task, and the kind of columns."""

LABELS = {"shoppers": "Revenue", "bank": "Class", "flights": "late", "ratings": "rating",
          "digits": "y", "friedman": "y", "wide": "y"}
REGRESSION = {"ratings", "friedman", "wide"}
NUMERIC = {"digits", "friedman", "wide"}
