"""Run by mergekit's own Python: passthrough of several models in one process.

Arguments: a JSON object {base folder: output folder} and the layer ranges, [[start, end], …] with
exclusive ends. Prints a JSON object {base folder: error or null}.
"""

import json
import sys

from mergekit.config import MergeConfiguration  # ty: ignore[import-not-found]
from mergekit.merge import MergeOptions, run_merge  # ty: ignore[import-not-found]


def main() -> None:
    jobs, ranges = json.loads(sys.argv[1]), json.loads(sys.argv[2])
    results = {}
    for base, output in jobs.items():
        slices = [{"sources": [{"model": base, "layer_range": item}]} for item in ranges]
        config = MergeConfiguration.model_validate(
            {"merge_method": "passthrough", "dtype": "float32", "slices": slices}
        )
        try:
            run_merge(config, output, options=MergeOptions(copy_tokenizer=True, quiet=True))
            results[base] = None
        except Exception as error:
            results[base] = f"{type(error).__name__}: {error}"
    print(json.dumps(results))


main()
