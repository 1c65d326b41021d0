"""The style of the report's page: one column on a phone, two on a desk, light or dark as the reader's system is."""

PAGE_STYLE = """
.gg-report{--ink:#1b2430;--soft:#5b6675;--edge:#dfe4ea;--paper:#fff;--good:#00724f;--even:#8a5a00;--bad:#b3261e;
max-width:1120px;margin:0 auto;padding:24px 20px 56px;color:var(--ink);line-height:1.5;font-size:16px;
font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif;box-sizing:border-box}
@media (prefers-color-scheme:dark){.gg-report{--ink:#e6eaf0;--soft:#9aa6b5;--edge:#303947;--paper:#161b22;
--good:#35c79b;--even:#f0b849;--bad:#ff8a80}}
.gg-report *{box-sizing:border-box}
.gg-report h1{font-size:1.9rem;margin:0;line-height:1.2;overflow-wrap:anywhere}
.gg-report h2{font-size:1.2rem;margin:0 0 14px}.gg-report h3{font-size:1rem;margin:18px 0 8px}
.gg-report header p,.gg-report .soft{color:var(--soft);margin:6px 0 0}
.gg-report .soft{font-size:.88rem;margin-bottom:10px}
.gg-report section{background:var(--paper);border:1px solid var(--edge);border-radius:12px;padding:20px;margin-top:18px}
.gg-report .verdict{border-left:6px solid var(--even)}.gg-report .verdict h2{margin:0 0 4px;color:var(--even)}
.gg-report .verdict p{margin:0;font-size:1.08rem;overflow-wrap:anywhere}
.gg-report .good{border-left-color:var(--good)}.gg-report .good h2{color:var(--good)}
.gg-report .bad{border-left-color:var(--bad)}.gg-report .bad h2{color:var(--bad)}
.gg-report .figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:0}
.gg-report .figures div{border:1px solid var(--edge);border-radius:8px;padding:10px 14px}
.gg-report .figures dt{color:var(--soft);font-size:.88rem}.gg-report .figures dd{margin:0}
.gg-report .figures b{display:block;font-size:1.7rem;line-height:1.25;font-variant-numeric:tabular-nums}
.gg-report .figures span{color:var(--soft);font-size:.85rem;font-variant-numeric:tabular-nums}
.gg-report .top{align-items:center;margin-bottom:14px}
.gg-report .top .figures{grid-template-columns:1fr 1fr}
.gg-report table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums;margin-top:8px}
.gg-report th,.gg-report td{padding:7px 12px;border-bottom:1px solid var(--edge);text-align:left;vertical-align:top;
white-space:nowrap;background:none;color:var(--ink)}
.gg-report thead th{color:var(--soft);font-weight:600}
.gg-report tbody th{font-weight:500}.gg-report .headline>*{font-weight:700}
.gg-report td small{display:block;color:var(--soft);font-weight:400;font-size:.82em}
.gg-report abbr{text-decoration:none;color:var(--soft)}
.gg-report .pictures{list-style:none;margin:0;padding:0;display:grid;gap:14px;
grid-template-columns:repeat(auto-fill,minmax(min(100%,var(--card)),1fr))}
.gg-report .pictures p{margin:6px 0 0;font-size:.85rem;line-height:1.35;overflow-wrap:anywhere}
.gg-report .texts{list-style:none;margin:0;padding:0}
.gg-report .texts li{--push:100%;padding:10px 0;border-top:1px solid var(--edge)}
.gg-report .words{margin:0;white-space:pre-wrap;overflow-wrap:anywhere}
.gg-report mark{color:inherit;border-radius:3px;padding:0 2px;border-bottom:2px solid var(--bad);
background:color-mix(in srgb,var(--bad) calc(var(--push)*.45),transparent)}
.gg-report mark b{color:var(--bad)}
.gg-report small{color:var(--soft)}
.gg-report .facts{display:grid;grid-template-columns:minmax(130px,auto) 1fr;gap:6px 18px;margin:0;font-size:.93rem}
.gg-report .facts dt{color:var(--soft)}.gg-report .facts dd{margin:0;overflow-wrap:anywhere;white-space:pre-wrap}
.gg-report section ul:not(.pictures,.texts){margin:0;padding-left:20px}
@media (max-width:520px){.gg-report{padding:16px 10px 40px}.gg-report section{padding:14px}
.gg-report .figures{grid-template-columns:1fr 1fr}.gg-report .facts{grid-template-columns:1fr;gap:0}
.gg-report .facts dd{margin-bottom:8px}}
@media print{.gg-report section{break-inside:avoid}}
"""
