"""A few paragraphs to measure layers on when the user names no text. Written for this project."""

SAMPLE = (
    "A lighthouse keeper writes down the weather four times a day. Most entries are dull: wind "
    "from the west, light rain, visibility eight miles. Yet when a ship is late, those lines are "
    "the first thing anyone reads. A record is worth most to people who did not expect to need "
    "it, and it only helps them if it was kept on the days when nothing happened.",
    "Yeast turns sugar into carbon dioxide and alcohol. In bread dough the gas is caught by "
    "gluten, a net of proteins that forms when flour is wetted and kneaded, so the dough rises. "
    "Heat in the oven first speeds the yeast up, then kills it, and finally sets the starch. The "
    "alcohol evaporates, which is one reason why a bakery smells the way it does.",
    "To find a word in a sorted list, open it in the middle. If the word comes earlier, forget the "
    "second half; otherwise forget the first. Repeat with what is left. A list of a million words "
    "needs at most twenty steps, because two to the power of twenty is just over a million. The "
    "method fails silently when the list is not sorted, so check that first.",
    "def mean(values):\n    if not values:\n        raise ValueError('mean of nothing')\n"
    "    total = 0.0\n    for value in values:\n        total += value\n"
    "    return total / len(values)\n\nprint(mean([2, 4, 9]))  # prints 5.0\n",
    "서울의 겨울은 건조하고 춥다. 아침에 창문을 열면 마른 공기가 방 안으로 들어오고, 지붕 "
    "위에는 얇은 서리가 남아 있다. 사람들은 두꺼운 외투를 입고 지하철역으로 걸어가며, 길모퉁이의 "
    "가게에서는 따뜻한 군고구마 냄새가 난다. "
    "봄이 오려면 아직 두 달이 남았지만 해는 조금씩 길어지고 있다.",
    "물은 섭씨 0도에서 얼고 100도에서 끓는다. 다만 높은 산에서는 기압이 낮아서 더 낮은 "
    "온도에서도 끓기 시작한다. 그래서 산 위에서 밥을 지으면 쌀이 잘 익지 않을 수 있다. "
    "압력솥은 안쪽의 압력을 높여 물이 더 뜨거워지게 하므로 이 문제를 해결한다.",
)
