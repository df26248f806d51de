/** Light and dark as the reader's system has it, one column on a phone, and on paper no panel across two pages. */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --paper: #f6f7f9; --card: #ffffff; --ink: #1b1f24; --faint: #5a6472; --line: #d9dee5;
  --good: #0a7d4b; --bad: #b3261e; --wait: #8a5a00; --open: #44546a; --band: #0072b2;
  --arm0: #6b7683; --arm1: #0072b2; --arm2: #c4560a; --arm3: #008a64; --arm4: #a8548a; --arm5: #946a00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #101418; --card: #191f26; --ink: #e8ecf1; --faint: #a3aebb; --line: #36404c;
    --good: #4cc38a; --bad: #ff7b72; --wait: #e3b341; --open: #a9b8cc; --band: #56b4e9;
    --arm0: #98a4b3; --arm1: #56b4e9; --arm2: #f0883e; --arm3: #3fcf9f; --arm4: #e79ac7; --arm5: #e6c34a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1.25rem; max-width: 72rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere;
}
h1 { font-size: 1.4rem; margin: 0; }
h2 { font-size: 1.05rem; margin: 0 0 .6rem; }
h3 { font-size: .95rem; margin: 1rem 0 .3rem; }
p { margin: .3rem 0; }
a { color: inherit; text-decoration-color: var(--faint); }
header p, figcaption, .faint { color: var(--faint); font-size: .875rem; }
.panels { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 1rem; margin-top: 1rem; }
.panel {
  background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; min-width: 0;
}
.wide, .alone { grid-column: 1 / -1; }
.alone figure { max-width: 34rem; }
.verdict { border-left: .5rem solid var(--open); margin-top: 1rem; }
.verdict strong { display: block; color: var(--open); text-transform: uppercase; letter-spacing: .04em; font-size: .85rem; }
.verdict .sentence { font-size: 1.25rem; line-height: 1.35; }
.verdict.better, .verdict.not-worse { border-color: var(--good); }
.verdict.better strong, .verdict.not-worse strong { color: var(--good); }
.verdict.worse, .verdict.unhealthy { border-color: var(--bad); }
.verdict.worse strong, .verdict.unhealthy strong { color: var(--bad); }
.verdict.too-early { border-color: var(--wait); }
.verdict.too-early strong { color: var(--wait); }
ul { margin: .4rem 0; padding-left: 1.2rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; width: 100%; overflow-wrap: normal; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--faint); font-weight: 600; white-space: nowrap; }
td.number { min-width: 5.5rem; }
td.name { max-width: 22rem; min-width: 7.5rem; overflow-wrap: anywhere; }
.ok { color: var(--good); } .ill { color: var(--bad); font-weight: 600; } .wait { color: var(--wait); font-weight: 600; } .unknown { color: var(--faint); }
dt { font-weight: 600; } dd { margin: 0 0 .5rem; }
figure { margin: .5rem 0 0; } figcaption { margin-top: .4rem; }
svg.chart { width: 100%; height: auto; --plot-background: var(--card); }
.key { display: flex; flex-wrap: wrap; gap: .2rem 1rem; font-size: .875rem; }
.key i { display: inline-block; width: .8rem; height: .8rem; margin-right: .35rem; border-radius: .15rem; vertical-align: -.08rem; }
details { border-bottom: 1px solid var(--line); padding: .3rem 0; }
summary { cursor: pointer; }
pre { overflow-x: auto; background: var(--paper); padding: .6rem; font-size: .8rem; }
@media (max-width: 46rem) {
  body { padding: .75rem; }
  .panels { grid-template-columns: minmax(0, 1fr); }
}
@media print {
  :root {
    color-scheme: light;
    --paper: #ffffff; --card: #ffffff; --ink: #000000; --faint: #444444; --line: #bbbbbb;
    --good: #0a7d4b; --bad: #b3261e; --wait: #8a5a00; --open: #44546a; --band: #0072b2;
    --arm0: #6b7683; --arm1: #0072b2; --arm2: #c4560a; --arm3: #008a64; --arm4: #a8548a; --arm5: #946a00;
  }
  body { max-width: none; padding: 0; font-size: 11pt; }
  .panel { break-inside: avoid; }
  .scroll { overflow: visible; }
  table { font-size: 8pt; }
  td.number { min-width: 0; }
}
`;
