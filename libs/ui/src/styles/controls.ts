/** What a person presses, ticks or types into: 44 px high at least (WCAG 2.5.8 asks 24). */
export const controls = `
.button { display: inline-flex; align-items: center; justify-content: center; min-height: 3rem; padding: .625rem 1.375rem; border: 1.5px solid transparent; border-radius: var(--radius-control); font: inherit; font-weight: 620; line-height: 1.25; letter-spacing: -.005em; text-align: center; text-decoration: none; cursor: pointer; transition: background-color .12s, border-color .12s, color .12s; }
.button:focus-visible { border-radius: var(--radius-control); }
.button-small { min-height: 2.75rem; padding: .375rem .875rem; font-size: .9375rem; }
.button-primary { background: var(--accent); color: var(--on-accent); }
.button-primary:hover { background: var(--accent-strong); }
.button-secondary { background: var(--surface); border-color: var(--control); color: var(--ink); }
.button-secondary:hover { border-color: var(--ink); background: var(--raised); }
.button-danger { background: var(--surface); border-color: var(--danger); color: var(--danger); }
.button-danger:hover { background: var(--danger); color: var(--on-danger); }
.button-quiet { background: transparent; color: var(--accent); }
.button-quiet:hover { text-decoration: underline; }
.actions { display: flex; flex-wrap: wrap; gap: .75rem; }
.actions-equal { display: grid; grid-template-columns: repeat(auto-fit, minmax(6.5rem, 1fr)); gap: .75rem; }
.actions-equal .button { min-height: 3.25rem; font-size: 1.0625rem; }
.form { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1.5rem; }

.field { display: grid; gap: .375rem; }
.label { font-weight: 620; }
.hint { color: var(--muted); font-size: .9375rem; }
.field-error { display: flex; gap: .5rem; color: var(--danger); font-weight: 550; font-size: .9375rem; }
.field-error .icon { margin-top: .15rem; }
.input { width: 100%; min-height: 3rem; padding: .625rem .875rem; border: 1.5px solid var(--control); border-radius: var(--radius-control); background: var(--surface); color: var(--ink); font: inherit; }
.input:hover { border-color: var(--ink); }
.input:focus-visible { outline-offset: 0; border-color: var(--accent); border-radius: var(--radius-control); }
.input[aria-invalid] { border-color: var(--danger); box-shadow: inset 0 0 0 1px var(--danger); }

input[type=radio], input[type=checkbox] { flex: none; width: 1.375rem; height: 1.375rem; margin: 0; accent-color: var(--accent); }
.choices { display: block; }
.legend { font-size: 1.0625rem; font-weight: 650; line-height: 1.35; letter-spacing: -.01em; margin-bottom: .75rem; }
.choices .hint { margin: -.375rem 0 .75rem; }
.choices .field-error { margin-bottom: .75rem; }
.choice-list { display: grid; gap: .625rem; }
.choice { display: flex; align-items: center; gap: .875rem; min-height: 3.5rem; padding: .75rem 1rem; border: 1.5px solid var(--line); border-radius: 1rem; cursor: pointer; transition: border-color .12s, background-color .12s; }
.choice:hover { border-color: var(--control); }
.choice:has(:checked) { border-color: var(--accent); background: var(--accent-soft); }
.choice:has(:focus-visible) { outline: 3px solid var(--accent); outline-offset: 2px; }
.choice :focus-visible, .scope :focus-visible { outline: none; }
.choice-words { display: grid; min-width: 0; }
.choice-title { font-weight: 620; line-height: 1.35; }
.choice-text { color: var(--muted); font-size: .9375rem; line-height: 1.4; }

.scopes { display: grid; }
.scope { display: flex; align-items: flex-start; gap: .875rem; min-height: 2.75rem; padding: .875rem 0; border-top: 1px solid var(--line); }
.scope:first-child { border-top: 0; padding-top: .25rem; }
.scope:last-child { padding-bottom: .25rem; }
label.scope { cursor: pointer; }
label.scope:hover > input { outline: 2px solid var(--accent-soft); outline-offset: 0; }
.scope:has(:focus-visible) { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: .75rem; }
.scope > input { margin: .5rem .125rem 0 0; }
.scope-icon { display: grid; place-items: center; flex: none; width: 2.5rem; height: 2.5rem; border-radius: .75rem; background: var(--accent-soft); color: var(--accent); }
.scope-write { background: var(--amber-soft); color: var(--amber); }
.scope-words { display: grid; gap: .125rem; min-width: 0; margin-right: auto; padding-top: .4375rem; }
.scope-title { display: flex; flex-wrap: wrap; align-items: center; gap: .125rem .625rem; font-weight: 600; line-height: 1.4; }
.scope-detail { color: var(--muted); font-size: .9375rem; line-height: 1.45; }
.scope-given { padding-top: .5rem; color: var(--muted); font-size: .875rem; white-space: nowrap; }
`
