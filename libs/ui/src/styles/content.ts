/** What a person reads: cards, the slip, lists, tables, the timeline. */
export const content = `
.card { background: var(--surface); border-radius: var(--radius); box-shadow: var(--shadow); padding: clamp(1.25rem, 4vw, 2rem); min-width: 0; }
.card-head { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: .5rem 1rem; margin-bottom: 1.25rem; }
.card-title { display: flex; align-items: center; gap: .75rem; }
.card > * + * { margin-top: 1.25rem; }

.slip { filter: var(--slip-shadow); }
.slip-body, .slip-stub { background: var(--surface); padding: clamp(1.25rem, 4vw, 2.25rem); }
.slip-body { display: grid; gap: 2rem; border-radius: var(--radius) var(--radius) 0 0; }
.slip-body, .slip-stub { --notch: .75rem; }
.slip-body { padding-bottom: calc(clamp(1.25rem, 4vw, 2.25rem) + .25rem); mask: radial-gradient(circle var(--notch) at 0 100%, #0000 98%, #000) 0 0 / 51% 100% no-repeat, radial-gradient(circle var(--notch) at 100% 100%, #0000 98%, #000) 100% 0 / 51% 100% no-repeat; }
.slip-stub { position: relative; display: grid; gap: 1rem; border-radius: 0 0 var(--radius) var(--radius); mask: radial-gradient(circle var(--notch) at 0 0, #0000 98%, #000) 0 0 / 51% 100% no-repeat, radial-gradient(circle var(--notch) at 100% 0, #0000 98%, #000) 100% 0 / 51% 100% no-repeat; }
.slip-stub::before { content: ""; position: absolute; inset: -1px 1.5rem auto; border-top: 2px dashed var(--line); }
.part { min-width: 0; }

.connection { display: flex; align-items: flex-start; gap: .75rem; }
.connection-end { display: grid; justify-items: start; gap: .5rem; max-width: 9rem; }
.connection-name { font-weight: 620; line-height: 1.3; font-size: .9375rem; }
.connection-line { display: flex; align-items: center; gap: .375rem; height: 4rem; color: var(--muted); }
.connection-line::before { content: ""; width: clamp(1rem, 5vw, 2.5rem); border-top: 2px dotted var(--control); }

.monogram { display: inline-grid; place-items: center; flex: none; width: 2.75rem; height: 2.75rem; border-radius: .875rem; color: #fff; font-weight: 680; font-size: 1.0625rem; letter-spacing: -.01em; line-height: 1; }
.monogram-small { width: 2.25rem; height: 2.25rem; border-radius: .6875rem; font-size: .875rem; }
.monogram-large { width: 4rem; height: 4rem; border-radius: 1.25rem; font-size: 1.625rem; }
.hue-0 { background: var(--h0); } .hue-1 { background: var(--h1); } .hue-2 { background: var(--h2); } .hue-3 { background: var(--h3); } .hue-4 { background: var(--h4); } .hue-5 { background: var(--h5); }
.monogram-person { border-radius: 50%; }
.monogram-organization { border-radius: .375rem; }
.monogram-api { background: var(--surface); color: var(--ink); box-shadow: inset 0 0 0 2px var(--control); }

.icon-line { display: flex; gap: .75rem; align-items: flex-start; }
.icon-line .icon { margin-top: .175rem; color: var(--muted); }
.icon-line > span { min-width: 0; }

.notice { display: flex; gap: .875rem; padding: 1rem 1.25rem; border-radius: 1rem; background: var(--info-soft); }
.notice .icon { margin-top: .175rem; color: var(--info); }
.notice-title { font-weight: 650; }
.notice-success { background: var(--accent-soft); } .notice-success .icon { color: var(--accent); }
.notice-danger { background: var(--danger-soft); } .notice-danger .icon { color: var(--danger); }

.facts { display: grid; }
.facts > div { display: grid; grid-template-columns: minmax(7rem, 2fr) minmax(0, 5fr); gap: .25rem 1rem; padding: .625rem 0; border-top: 1px solid var(--line); }
.facts > div:first-child { border-top: 0; }
.facts dt { color: var(--muted); }
.facts dd { overflow-wrap: anywhere; }

.frame { display: block; width: 100%; height: calc(var(--rows) * var(--row)); border: 0; --row: 2.9125rem; }
.frame-1 { --rows: 1; } .frame-2 { --rows: 2; } .frame-3 { --rows: 3; } .frame-4 { --rows: 4; } .frame-5 { --rows: 5; } .frame-6 { --rows: 6; }
.fragment { min-height: 0; background: var(--surface); }

.badge { display: inline-block; padding: .0625rem .5rem; border-radius: 99rem; background: var(--raised); color: var(--muted); box-shadow: inset 0 0 0 1px var(--line); font-size: .8125rem; font-weight: 600; line-height: 1.5; white-space: nowrap; letter-spacing: 0; }
.badge-success { background: var(--accent-soft); color: var(--accent); box-shadow: none; }
.badge-warning { background: var(--amber-soft); color: var(--amber); box-shadow: none; }
.badge-danger { background: var(--danger-soft); color: var(--danger); box-shadow: none; }
.badge-info { background: var(--info-soft); color: var(--info); box-shadow: none; }

.table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
.table caption { text-align: left; font-weight: 650; font-size: 1.0625rem; padding-bottom: .5rem; }
.table th, .table td { padding: .75rem 1.25rem .75rem 0; text-align: left; vertical-align: middle; border-top: 1px solid var(--line); }
.table thead th { border: 0; color: var(--muted); font-size: .875rem; font-weight: 550; padding-block: .25rem .5rem; }
.table tbody th { font-weight: 620; }
.table :is(th, td):last-child { padding-right: 0; }
.table .cell-end { text-align: right; }

.empty { display: grid; justify-items: start; gap: .5rem; padding: 1rem 0; }
.empty-art { margin-bottom: .75rem; fill: none; stroke: var(--control); stroke-width: 2.5; stroke-linecap: round; stroke-dasharray: .1 6; }
.empty-art circle { stroke-dasharray: none; }
.empty-title { font-size: 1.25rem; font-weight: 650; letter-spacing: -.012em; }
.empty .button { margin-top: .75rem; }

.code { display: grid; grid-template-columns: minmax(0, 1fr); gap: .375rem; }
.code figcaption { color: var(--muted); font-size: .875rem; }
.code pre { overflow-x: auto; padding: .875rem 1rem; border-radius: var(--radius-control); background: var(--raised); box-shadow: inset 0 0 0 1px var(--line); font-size: .875rem; line-height: 1.55; }
.code code { font-size: 1em; overflow-wrap: normal; }

.more summary { display: inline-flex; align-items: center; gap: .5rem; min-height: 2.75rem; color: var(--accent); font-weight: 550; cursor: pointer; list-style: none; }
.more summary::-webkit-details-marker { display: none; }
.more summary::after { content: ""; width: .5rem; height: .5rem; margin-top: -.25rem; border: solid currentColor; border-width: 0 2px 2px 0; rotate: 45deg; }
.more[open] summary::after { rotate: 225deg; margin-top: .25rem; }
.more-body { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; padding-top: .25rem; }

.step { position: relative; display: flex; gap: 1rem; padding-bottom: 1.5rem; }
.step:last-child { padding-bottom: 0; }
.step::before { content: ""; position: absolute; left: calc(1rem - 1px); top: 2rem; bottom: 0; border-left: 2px solid var(--line); }
.step:last-child::before { display: none; }
.step-sign { display: grid; place-items: center; flex: none; width: 2rem; height: 2rem; border-radius: 50%; background: var(--accent); color: var(--on-accent); }
.step-fail .step-sign { background: var(--danger); color: var(--on-danger); }
.step-pending .step-sign { background: var(--raised); color: var(--muted); box-shadow: inset 0 0 0 1.5px var(--control); }
.step-body { flex: 1; min-width: 0; display: grid; grid-template-columns: minmax(0, 1fr); gap: .375rem; padding-top: .1875rem; }
.step-head { display: flex; justify-content: space-between; gap: 1rem; }
.step-label { font-weight: 620; }
.step-ms { font: .875rem/1.8 var(--mono); color: var(--muted); white-space: nowrap; font-variant-numeric: tabular-nums; }
.step-bar { border-radius: 2px; }
.step-bar-ground { fill: var(--line); }
.step-bar-part { fill: var(--accent); }
.step-fail .step-bar-part { fill: var(--danger); }
.step-detail { color: var(--muted); font-size: .9375rem; }

.error { display: grid; gap: 1rem; justify-items: start; }
.error-sign { display: grid; place-items: center; width: 3rem; height: 3rem; border-radius: 1rem; background: var(--amber-soft); color: var(--amber); }
.error h1 { font-size: clamp(1.625rem, 1.4rem + 1vw, 2rem); }
`
