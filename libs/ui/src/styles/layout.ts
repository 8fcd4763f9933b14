/** The document: type, header, columns, footer. */
export const layout = `
*, *::before, *::after { box-sizing: border-box; }
[hidden] { display: none !important; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; scroll-padding-top: 1rem; }
body { margin: 0; min-height: 100vh; min-height: 100dvh; display: flex; flex-direction: column; background: var(--ground); color: var(--ink); font: 1rem/1.6 var(--sans); overflow-wrap: break-word; }
h1, h2, h3, p, ul, ol, dl, dd, figure, fieldset, legend, pre { margin: 0; padding: 0; }
ul, ol { list-style: none; }
fieldset { border: 0; min-width: 0; }
h1 { font-size: clamp(1.875rem, 1.45rem + 1.8vw, 2.75rem); line-height: 1.12; font-weight: 680; letter-spacing: -.028em; text-wrap: balance; }
h2 { font-size: 1.25rem; line-height: 1.3; font-weight: 650; letter-spacing: -.012em; }
h3 { font-size: 1.0625rem; line-height: 1.35; font-weight: 650; }
p { text-wrap: pretty; }
a { color: var(--accent); text-decoration-thickness: 1px; text-underline-offset: .2em; }
a:hover { text-decoration-thickness: 2px; }
code { font-family: var(--mono); font-size: .9em; overflow-wrap: anywhere; }
svg { display: block; flex: none; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; border-radius: .25rem; }
main:focus { outline: none; }
.hidden { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: 1rem; top: -6rem; z-index: 1; padding: .75rem 1.25rem; border-radius: var(--radius-control); background: var(--surface); color: var(--ink); }
.skip:focus { top: 1rem; }
.muted { color: var(--muted); }
.small { font-size: .875rem; color: var(--muted); }
.select { user-select: all; }

.top-in { max-width: 72rem; margin: 0 auto; padding: 1rem clamp(1rem, 4vw, 2.5rem); display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1.75rem; }
.brand { display: flex; align-items: center; gap: .625rem; min-height: 2.75rem; margin-right: auto; }
.brand-name { font-weight: 700; font-size: 1.125rem; letter-spacing: -.025em; }
.brand-service { padding-left: .75rem; margin-left: .125rem; border-left: 1px solid var(--control); color: var(--muted); font-size: .9375rem; line-height: 1.2; }
.mark-ground { fill: var(--accent); }
.mark-line { stroke: var(--on-accent); }
.nav ul { display: flex; flex-wrap: wrap; gap: .25rem; }
.nav a { display: inline-flex; align-items: center; min-height: 2.75rem; padding: 0 .875rem; border-radius: 99rem; color: var(--muted); text-decoration: none; font-size: .9375rem; font-weight: 550; }
.nav a:hover { color: var(--ink); text-decoration: underline; }
.nav a[aria-current] { color: var(--ink); background: var(--surface); }
.user { display: flex; align-items: center; gap: .5rem; font-size: .9375rem; }
.user-name { color: var(--muted); max-width: 14rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }

.main { flex: 1; width: 100%; max-width: 72rem; margin: 0 auto; padding: clamp(1.25rem, 4vw, 3.5rem) clamp(1rem, 4vw, 2.5rem) 4rem; }
.foot { max-width: 72rem; width: 100%; margin: 0 auto; padding: 1.25rem clamp(1rem, 4vw, 2.5rem) 2rem; color: var(--muted); font-size: .875rem; }

.stack { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1.5rem; }
.columns { display: grid; gap: 1.5rem; align-items: start; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); }
.narrow { max-width: 36rem; margin-inline: auto; }
.wide { max-width: 100%; }
.heading { display: grid; gap: .75rem; max-width: 44rem; margin-bottom: .75rem; }
.kicker { font-family: var(--mono); font-size: .8125rem; letter-spacing: .01em; color: var(--accent); }
.lede { font-size: 1.125rem; line-height: 1.55; color: var(--muted); max-width: 38rem; }
.split { display: grid; gap: 2rem; grid-template-columns: minmax(0, 1fr); }
.split-intro { display: grid; gap: 1.5rem; align-content: start; }
.split-intro .heading { margin: 0; }
.split-body { min-width: 0; }
@media (min-width: 60rem) {
  .split { grid-template-columns: minmax(0, 5fr) minmax(0, 6fr); gap: clamp(3rem, 6vw, 5.5rem); }
  .split-intro { position: sticky; top: 2rem; align-self: start; padding-top: 1.5rem; }
}
`
