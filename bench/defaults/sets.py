"""What both scripts know of the sets: the label column and the kind of task."""

LABELS = {"shoppers": "Revenue", "bank": "Class", "flights": "late", "ratings": "rating"}
REGRESSION = {"ratings"}
