"""Write the texts that the package ships as corpus.jsonl, one JSON object a line."""

import json
from pathlib import Path

from pyunlearn.datasets import load_texts

lines = [
    json.dumps({"id": record.id, "text": record.text, "label": record.label})
    for record in load_texts()
]
Path("corpus.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
