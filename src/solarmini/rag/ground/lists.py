"""Closed classes of words: denial, quantity, opposites, talk about oneself."""

from solarmini.rag.lexical.english import stem


def _words(written: str) -> frozenset[str]:
    return frozenset(written.split())


ENGLISH_NOT = _words("not no never none neither nor without cannot nobody nothing hardly")
ENGLISH_LIGHT = _words("""
    yes yeah yep no nope ok okay well oh ah wow hi hello um hmm also just very really quite too so
    there here one ones own some more most much many other another such each i'm i've i'd i'll
    it's that's don't doesn't didn't isn't aren't wasn't weren't can't won't not nor only both
    between during before after over under again once because while until though although however
    us am u m s t re ve d ll lot lots thing things get got being let say said through
    """)
ENGLISH_VALUES = _words("""
    january february march april june july august september october november december monday
    tuesday wednesday thursday friday saturday sunday
    """)
ENGLISH_SELF = _words("i me my mine myself we our you your i'm i've i'd i'll")
ENGLISH_HEDGES = _words(
    "think guess sure maybe probably perhaps believe wonder hope love like enjoy favorite"
)
ENGLISH_ONLY = _words("all always every only never none entire entirely exclusively sole")

KOREAN_NOT = frozenset(
    {
        ("않", "VX"),
        ("못하", "VX"),
        ("말", "VX"),
        ("아니", "VCN"),
        ("아니", "MAG"),
        ("없", "VA"),
        ("안", "MAG"),
        ("못", "MAG"),
        ("못하", "VV"),
        ("없이", "MAG"),
        ("아니하", "VX"),
    }
)
KOREAN_LIGHT = _words("""
    하다 되다 있다 없다 이다 아니다 같다 대하다 관하다 의하다 위하다 따르다 통하다 것 수 등 및 또는
    그리고 그러나 하지만 그 이 저 때 때문 경우 정도 중 후 전 더 가장 매우 아주 너무 많이 잘 다 또
    바로    함께 현재 안 못 만 질문 답 예 아니 우리 나 저희 자신 위 아래 다음
    """)
KOREAN_ONLY = frozenset({"만", "밖에", "뿐", "모두", "마다"})
KOREAN_ALL = _words("모든 모두 전부 항상 언제나 유일 절대 반드시 오직 오로지 결코 전혀 매번 무조건")
KOREAN_SELF = _words("나 저 우리 저희 너 당신 여러분")

_OPPOSITES = """
increase decrease|rise fall|more less|more fewer|most least|most fewest|first last|before after
early late|high low|large small|big small|long short|old young|old new|win lose|success failure
succeed fail|open close|begin end|start end|start stop|begin finish|left right|north south
east west|northern southern|eastern western|upper lower|male female|man woman|boy girl
father mother|son daughter|brother sister|husband wife|king queen|buy sell|accept reject
allow forbid|allow prohibit|permit prohibit|include exclude|import export|positive negative
public private|rich poor|strong weak|hot cold|warm cool|wet dry|fast slow|heavy light|major minor
maximum minimum|majority minority|above below|inside outside|internal external|legal illegal
lawful unlawful|friend enemy|attack defend|offense defense|hero villain|true false|many few
common rare|easy difficult|cheap expensive|happy sad|love hate|best worst|better worse
alive dead|birth death|day night|morning evening|summer winter|black white|future past
이상 이하|이상 미만|초과 이하|초과 미만|이전 이후|전 후|증가 감소|증가하다 감소하다|상승 하락
최대 최소|최고 최저|최초 최후|처음 마지막|시작 끝|시작 종료|개시 종료|있다 없다|많다 적다|많다 없다
크다 작다|높다 낮다|길다 짧다|넓다 좁다|좋다 나쁘다|빠르다 느리다|강하다 약하다|쉽다 어렵다
남성 여성|남자 여자|아버지 어머니|아들 딸|형 동생|왕 왕비|동쪽 서쪽|남쪽 북쪽|동 서|남 북|동부 서부
남부 북부|왼쪽 오른쪽|위쪽 아래쪽|안 밖|내부 외부|성공 실패|승리 패배|이기다 지다|찬성 반대
허용 금지|허가 금지|가능 불가능|합법 불법|긍정 부정|공격 방어|수입 수출|사다 팔다|공개 비공개
유료 무료|의무 권리|필수 선택|오전 오후|여름 겨울|낮 밤|개인 단체|원고 피고|채권자 채무자
임대인 임차인|고용 해고|근로자 사용자|매도인 매수인|멀다 가깝다|깨끗하다 더럽다|조용하다 시끄럽다
비싸다 저렴|비싸다 싸다|저렴 비싸다|가깝다 멀다|두껍다 얇다|무겁다 가볍다|같다 다르다|맞다 틀리다
켜다 끄다|열다 닫다|늘다 줄다|늘리다 줄이다|오르다 내리다|들어가다 나오다|살다 죽다|덥다 춥다
뜨겁다 차갑다|젊다 늙다|친절 불친절|편하다 불편|편리 불편|만족 불만족|추천 비추천
"""


def _opposites() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for pair in _OPPOSITES.replace("\n", "|").strip("|").split("|"):
        one, other = (stem(word) for word in pair.split())
        found.setdefault(one, set()).add(other)
        found.setdefault(other, set()).add(one)
    return {word: frozenset(others) for word, others in found.items()}


OPPOSITES = _opposites()
