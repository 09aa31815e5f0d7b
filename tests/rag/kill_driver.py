"""Index, change and delete over and over until killed; the parent kills at any moment.

    python kill_driver.py kb.db docs/

Says "done N" after every step that is committed, so that the parent knows what may not be lost.
"""

import sys
from pathlib import Path

from rag_parts import HashingEmbedder

from solarmini.rag.knowledge import KnowledgeBase


def main() -> None:
    store, folder = Path(sys.argv[1]), Path(sys.argv[2])
    with KnowledgeBase.open(store, embedder=HashingEmbedder()) as kb:
        print("open", flush=True)
        kb.add(folder, observe=lambda event: print(event.action, event.source, flush=True))
        for round_ in range(1000):
            name = folder / f"{round_ % 6}.txt"
            name.write_text(f"round {round_}\n\n" + "words to index here. " * 40)
            kb.add(name)
            print("added", name.as_posix(), round_, flush=True)
            if round_ % 3 == 2:
                kb.delete(name)
                print("deleted", name.as_posix(), round_, flush=True)


if __name__ == "__main__":
    main()
