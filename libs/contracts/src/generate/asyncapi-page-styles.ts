/** Of the page of the AsyncAPI document. Text keeps 4.5:1 on every surface, in both schemes (WCAG 1.4.3). */
export const pageStyles = `
:root {
  color-scheme: light dark;
  --ground: #eef2ee; --surface: #fff; --raised: #f6f8f5; --ink: #10201a; --muted: #50615a; --line: #d6ded8; --accent: #0b5a45;
  --sans: ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, "Liberation Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0a100d; --surface: #131b17; --raised: #1a2520; --ink: #e7efeb; --muted: #a1b2aa; --line: #2a3932; --accent: #74dfb7;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1rem/1.55 var(--sans); overflow-wrap: anywhere; }
a { color: var(--accent); }
a:focus-visible, summary:focus-visible, pre:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: 1rem; background: var(--surface); padding: .5rem 1rem; }
code, pre { font-family: var(--mono); font-size: .875em; }
header, .columns { max-width: 76rem; margin: 0 auto; padding: 0 1.5rem; }
header { padding-top: 3rem; padding-bottom: 1.5rem; }
.kind { margin: 0; color: var(--accent); font-weight: 600; font-size: .875rem; }
h1 { font-size: clamp(2rem, 5vw, 2.75rem); line-height: 1.15; letter-spacing: -.02em; margin: .25rem 0 .75rem; }
h2 { font-size: 1.5rem; line-height: 1.25; letter-spacing: -.01em; margin: 0 0 .5rem; }
h3 { font-size: 1.0625rem; margin: 0 0 .25rem; }
h3 code { font-size: 1em; }
p { margin: .5rem 0; max-width: 70ch; }
.lead { color: var(--muted); }
.note { color: var(--muted); font-size: .9375rem; }
.columns { display: grid; grid-template-columns: 17rem minmax(0, 1fr); gap: 2.5rem; align-items: start; padding-bottom: 4rem; }
nav { position: sticky; top: 1rem; max-height: calc(100vh - 2rem); overflow-y: auto; font-size: .9375rem; }
nav ul { list-style: none; margin: 0; padding: 0; }
nav > ul > li { margin-bottom: .75rem; }
nav > ul > li > a { font-weight: 600; }
nav li li { padding-left: .75rem; border-left: 2px solid var(--line); }
nav a { text-decoration: none; display: inline-block; padding: .125rem 0; }
nav a:hover { text-decoration: underline; }
main > section { background: var(--surface); border: 1px solid var(--line); border-radius: 1.25rem; padding: 1.75rem; margin-bottom: 1.5rem; }
main li { margin: .375rem 0; max-width: 70ch; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem 1.5rem; margin: 1rem 0 0; }
dt { color: var(--muted); font-size: .875rem; }
dd { margin: 0; font-weight: 600; }
article { border-top: 1px solid var(--line); margin-top: 1.75rem; padding-top: 1.5rem; }
table { width: 100%; border-collapse: collapse; margin: 1rem 0; font-size: .9375rem; }
caption { text-align: left; font-weight: 600; padding-bottom: .375rem; }
th, td { text-align: left; vertical-align: top; padding: .5rem .75rem .5rem 0; border-top: 1px solid var(--line); font-weight: 400; }
thead th { color: var(--muted); font-size: .875rem; border-top: 0; padding-top: 0; }
th:first-child { width: 27%; }
td:nth-child(2) { width: 28%; }
details { margin-top: .75rem; }
summary { cursor: pointer; color: var(--accent); font-weight: 600; padding: .25rem 0; }
pre { background: var(--raised); border: 1px solid var(--line); border-radius: .75rem; padding: 1rem; overflow-x: auto; overflow-wrap: normal; margin: .5rem 0 0; }
@media (max-width: 52rem) {
  header, .columns { padding-left: 1rem; padding-right: 1rem; }
  header { padding-top: 2rem; }
  .columns { grid-template-columns: minmax(0, 1fr); gap: 1.5rem; }
  nav { position: static; max-height: none; }
  nav > ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; }
  nav > ul > li { margin: 0; }
  nav li ul { display: none; }
  main > section { padding: 1.25rem 1rem; border-radius: 1rem; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table, tbody, tr, caption { display: block; }
  tr { border-top: 1px solid var(--line); padding: .625rem 0; }
  tr th, tr td, th:first-child, td:nth-child(2) { display: block; width: auto; border: 0; padding: 0; }
  td:nth-child(2) { color: var(--muted); font-size: .875rem; }
}
@media print {
  nav, .skip { display: none; }
  .columns { display: block; }
}
`
