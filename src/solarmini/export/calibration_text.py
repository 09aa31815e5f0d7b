"""Texts on which the importance of weights is measured. Written for this project.

They are not the texts that an export is checked on.
"""

CALIBRATION = (
    "The river that runs through the old town was once its main road. Barges brought grain and "
    "salt, and the houses still turn their best windows to the water. In 1871 the railway came, "
    "the harbour emptied within ten years, and the warehouses became workshops, then flats.",
    "To replace a bicycle tube, take the wheel off, lift one side of the tyre over the rim with "
    "two levers, and pull the tube out. Feel along the inside of the tyre for glass or thorns "
    "before you put the new one in. Pump it up a little first, so that it does not twist.",
    "Photosynthesis stores the energy of light in sugar. Chlorophyll absorbs mostly red and blue "
    "light; water is split, oxygen leaves the leaf, and carbon dioxide is built into molecules "
    "with six carbon atoms. About 3 to 6 percent of the light that falls on a field ends up there.",
    "User: How can I learn to cook without spending much money?\nAssistant: Start with three "
    "dishes that you like and that share ingredients: rice and beans, a vegetable soup, and an "
    "omelette. Cook each of them once a week, write down what you would change, and buy spices "
    "one at a time. After a month you will know more than most recipes can tell you.",
    "User: What is 17 times 24?\nAssistant: 17 times 24 is 408, because 17 times 20 is 340 and "
    "17 times 4 is 68, and 340 + 68 = 408.\nUser: Write one sentence about winter.\nAssistant: "
    "In winter the lake freezes from the edges inward, and the village grows quiet.",
    "The committee met on Tuesday to discuss the budget for the coming year. Members agreed that "
    "repairs to the school roof could not wait, but they disagreed about how to pay for them. "
    "A vote was postponed until the engineer's report arrives, which is expected by 14 March.",
    "import json\n\nclass Cache:\n    def __init__(self, path, limit=100):\n"
    "        self.path = path\n"
    "        self.limit = limit\n        self.items = {}\n\n    def get(self, key, default=None):\n"
    "        return self.items.get(key, default)\n\n    def save(self):\n"
    '        with open(self.path, "w") as file:\n            json.dump(self.items, file)\n',
    "<table><tr><th>Year</th><th>Sales</th></tr><tr><td>2021</td><td>1,204</td></tr></table>\n"
    '{"name": "Kim", "age": 34, "tags": ["a", "b"], "active": true}\n'
    "# Heading\n\n- first item\n- second item\n\n1. **Bold** and *italic* text.\n",
    "부산의 바닷가 시장은 새벽에 가장 붐빈다. 배에서 내린 생선이 상자에 담겨 나오면 상인들은 "
    "큰 소리로 값을 부르고, 여덟 시가 되기 전에 대부분의 거래가 끝난다.",
    "질문: 한국의 전통 음식 가운데 외국인에게 추천할 만한 것은 무엇인가요?\n답변: "
    "비빔밥을 추천합니다. 여러 가지 나물과 고기, 달걀을 밥에 얹고 고추장으로 비벼 먹는 음식으로, "
    "재료를 바꾸면 채식으로도 즐길 수 있습니다.",
    "세종대왕은 1443년에 훈민정음을 만들고 1446년에 반포하였다. 백성이 쉽게 배우고 쓸 수 있는 "
    "글자를 만드는 것이 목적이었으며, 자음은 소리를 내는 기관의 모양을 본떴다.",
)
