"""The report's style sheet: light, dark and paper; wide screen and phone; no outside fonts.

Colours are the Okabe-Ito blue and orange and a grey violet, which differ in lightness as well as
in hue; every series also differs in its dash or shape.
"""

_LIGHT = """
--bg:#faf9f5;--card:#fff;--ink:#1c1d20;--soft:#4b4d53;--muted:#6d6f76;--line:#e3e0d7;
--band:#f3f1ea;--main:#0060a0;--control:#b8500a;--naive:#7c5a8c;--sun:#e5a50a;--sun-ink:#7a5600;
--best:#fdf3d7;--ribbon:.16;
"""
_DARK = """
--bg:#131519;--card:#1b1e24;--ink:#eceae5;--soft:#c3c3c4;--muted:#9a9ca3;--line:#30343d;
--band:#20242b;--main:#6db9f5;--control:#f3a25c;--naive:#c3a3d3;--sun:#f2bf3d;--sun-ink:#f2cf74;
--best:#3a3115;--ribbon:.22;
"""
STYLE = (
    ":root{color-scheme:light dark;" + _LIGHT.replace("\n", "") + "}"
    "@media (prefers-color-scheme:dark){:root{" + _DARK.replace("\n", "") + "}}"
    "@media print{:root{color-scheme:light;"
    + _LIGHT.replace("\n", "")
    + "--bg:#fff;--best:#f6e9c0}}"
    """
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--bg);color:var(--ink);
font:16px/1.6 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Noto Sans KR",
"Noto Sans CJK KR","Apple SD Gothic Neo","Malgun Gothic",sans-serif;
font-variant-numeric:tabular-nums}
main,header,footer{max-width:1168px;margin:0 auto;padding:0 24px}
header{padding-top:56px}
.brand{display:flex;align-items:center;gap:10px;color:var(--muted);font-size:14px;
letter-spacing:.02em}
.brand svg{width:22px;height:22px;flex:none}
h1{font-size:clamp(28px,4.4vw,46px);line-height:1.12;letter-spacing:-.022em;font-weight:680;
margin:14px 0 14px;text-wrap:balance;max-width:24em}
.lead{font-size:clamp(17px,1.6vw,20px);line-height:1.55;color:var(--soft);max-width:46em;margin:0;
text-wrap:pretty}
.meta{color:var(--muted);font-size:14px;margin:14px 0 0}
section{margin:64px 0 0}
h2{font-size:24px;letter-spacing:-.012em;line-height:1.25;margin:0 0 6px;font-weight:660}
h3{font-size:16px;margin:0 0 10px;font-weight:640}
.about{color:var(--soft);margin:0 0 22px;max-width:46em;text-wrap:pretty}
.keys{display:grid;grid-template-columns:repeat(auto-fill,minmax(208px,1fr));gap:14px;
margin:36px 0 0;padding:0;list-style:none}
.key{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:16px 18px 14px;
border-top:3px solid var(--line);container-type:inline-size}
.key.main{border-top-color:var(--main)}
.key.control{border-top-color:var(--control)}
.key.naive{border-top-color:var(--naive)}
.key b{display:block;font-size:clamp(16px,12cqi,27px);line-height:1.2;letter-spacing:-.02em;
font-weight:640;margin:4px 0 6px}
.key .label{font-size:14px;color:var(--soft);font-weight:560}
.key small{display:block;font-size:13px;line-height:1.45;color:var(--muted)}
.card{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:22px 24px}
.scroll{overflow-x:auto;-webkit-overflow-scrolling:touch}
svg.figure{display:block;width:100%;height:auto;overflow:visible}
svg.narrow,.narrow-only{display:none}
svg text{font-family:inherit;fill:var(--ink)}
.node rect{fill:var(--card);stroke:var(--line);stroke-width:1.5}
.node.main rect{stroke:var(--main)}
.node.control rect{stroke:var(--control);stroke-dasharray:5 4}
.node.naive rect{stroke:var(--naive);stroke-dasharray:2 3}
.node-kind{font-size:11px;fill:var(--muted)}
.node-name{font-size:14.5px;font-weight:640}
.node-fact{font-size:11.5px;fill:var(--soft)}
.node-score{font-size:11.5px;font-weight:600;fill:var(--soft)}
.edge{fill:none;stroke:var(--muted);stroke-width:1.6}
.edge.main{stroke:var(--main)}
.edge.control{stroke:var(--control);stroke-dasharray:5 4}
.edge.naive{stroke:var(--naive);stroke-dasharray:2 3}
.layer.changed{stroke:var(--ink);stroke-width:1.6;stroke-dasharray:3 2}
.layer-number{font-size:10px}
.ribbon{fill:var(--main);opacity:var(--ribbon)}
.seam{stroke:var(--control);stroke-width:2;stroke-dasharray:4 3}
.seam-label{font-size:13px;fill:var(--control);font-weight:600}
svg text.seam-label{fill:var(--control)}
svg text.axis-title{font-size:12.5px;fill:var(--muted)}
svg text.panel-title{font-size:14px;font-weight:640}
svg text.tick{font-size:11.5px;fill:var(--muted)}
svg text.off{font-size:11.5px;fill:var(--naive);font-weight:600}
.band{fill:var(--band)}
.grid{stroke:var(--line);stroke-width:1}
.axis{stroke:var(--muted);stroke-width:1}
.level{stroke:var(--muted);stroke-width:1.4;stroke-dasharray:2 4}
svg text.level-label,svg text.off{paint-order:stroke;stroke:var(--band);stroke-width:4px;
stroke-linejoin:round}
svg text.level-label{font-size:11.5px;fill:var(--soft)}
.level.naive{stroke:var(--naive)}
svg text.level-label.naive{fill:var(--naive)}
.curve{stroke-width:2.6;stroke:var(--main);stroke-linejoin:round;stroke-linecap:round}
.curve.train{stroke-width:1.3;opacity:.5}
.curve.control{stroke:var(--control);stroke-dasharray:7 5}
.jump{stroke:var(--sun);stroke-width:3;stroke-linecap:round;stroke-linejoin:round}
svg text.jump-label{font-size:12.5px;font-weight:700;fill:var(--sun-ink)}
.dot circle{fill:var(--card);stroke:var(--main);stroke-width:2.4}
.dot .whisker{stroke:var(--main);stroke-width:1.4}
.dot.base circle{stroke:var(--muted);fill:var(--muted)}
.dot.base .whisker{stroke:var(--muted)}
.dot.control circle{stroke:var(--control);fill:var(--control)}
.dot.control .whisker{stroke:var(--control)}
.panels{display:flex;flex-wrap:wrap;gap:30px 24px}
.panels>div{min-width:0}
.panels svg.figure{max-width:none!important}
.legend{display:flex;flex-wrap:wrap;gap:6px 22px;list-style:none;margin:18px 0 0;padding:0;
font-size:13.5px;color:var(--soft)}
.legend li{display:flex;align-items:center;gap:8px}
.legend svg{width:28px;height:12px;flex:none}
.source{font-size:12.5px;color:var(--muted);margin:14px 0 0}
table{border-collapse:collapse;width:100%;font-size:14.5px;line-height:1.4}
th,td{padding:9px 12px;text-align:right;border-bottom:1px solid var(--line);vertical-align:top;
white-space:nowrap}
thead th{font-weight:600;border-bottom:1.5px solid var(--muted);vertical-align:bottom}
thead small,td small,tbody th small{display:block;font-weight:400;font-size:12px;color:var(--muted)}
th:first-child,td:first-child,.words{text-align:left}
tbody th{font-weight:600}
.scores tbody th{position:sticky;left:0;background:var(--card)}
tr.control th,tr.control td{color:var(--control)}
tr.naive th,tr.naive td{color:var(--naive)}
tr.control small,tr.naive small{color:var(--muted)}
td.best{background:var(--best);font-weight:700}
td.best small{font-weight:400}
td.none{color:var(--muted)}
.wrap .words,.wrap tbody th{white-space:normal}
.prompt{margin:0 0 18px;break-inside:avoid}
.prompt h3{display:flex;gap:10px;align-items:baseline}
.prompt h3::before{content:"?";color:var(--sun-ink);background:var(--best);border-radius:50%;
width:24px;height:24px;line-height:24px;text-align:center;flex:none;font-size:14px;
transform:translateY(2px)}
.answers{display:grid;grid-template-columns:repeat(auto-fit,minmax(184px,1fr));gap:14px}
.answer{border-left:3px solid var(--line);padding:2px 0 2px 14px;min-width:0}
.answer.last{border-left-color:var(--main)}
.answer h4{margin:0 0 4px;font-size:13px;color:var(--muted);font-weight:600}
.answer p{margin:0;font-size:14.5px;line-height:1.55;white-space:pre-wrap;overflow-wrap:anywhere}
.answer .empty{color:var(--muted);font-style:italic}
ul.notes{margin:0;padding:0 0 0 20px;max-width:52em}
ul.notes li{margin:0 0 8px}
ul.notes li::marker{color:var(--sun)}
pre{background:var(--band);border-radius:10px;padding:14px 16px;overflow-x:auto;font-size:13.5px;
line-height:1.5;margin:0 0 14px}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Noto Sans Mono",monospace}
.hash{font-size:12px;color:var(--muted);font-family:ui-monospace,Menlo,Consolas,monospace}
dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 22px;margin:0;font-size:14.5px}
dt{color:var(--muted)}
dd{margin:0;overflow-wrap:anywhere}
details summary{cursor:pointer;color:var(--soft);font-weight:600;margin:18px 0 10px}
.warn{color:var(--control);font-weight:600}
footer{color:var(--muted);font-size:13px;padding-top:56px;padding-bottom:48px}
@media (max-width:720px){
main,header,footer{padding-left:16px;padding-right:16px}
header{padding-top:32px}
section{margin-top:48px}
svg.wide,.wide-only{display:none}
svg.narrow{display:block}
.narrow-only{display:block}
.card{padding:16px 14px;border-radius:12px}
.keys{grid-template-columns:repeat(auto-fill,minmax(158px,1fr));gap:10px;margin-top:26px}
.key{padding:12px 13px 11px}
.key small{font-size:12.5px}
th,td{padding:8px 9px}
dl{grid-template-columns:1fr;gap:0}
dd{margin:0 0 8px}
.answers{grid-template-columns:1fr}
.panels>div{flex:1 1 100%!important}
}
@media print{
body{font-size:11pt}
section{break-inside:avoid;margin-top:28px}
section.long{break-inside:auto}
main,header,footer{max-width:none;padding:0}
.scroll{overflow:visible}
.panels{flex-wrap:nowrap}
.panels>div{flex-basis:0!important}
th,td{padding:5px 6px;font-size:9pt}
.scores tbody th{position:static}
details:not([open])>*:not(summary){display:block}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}
}
"""
)
