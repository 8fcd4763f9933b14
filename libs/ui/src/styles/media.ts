/** Narrow screens, forced colours, reduced motion, paper. Last, so that it wins. */
export const media = `
@media (max-width: 40rem) {
  .top-in { padding-block: .75rem; }
  .nav { order: 3; width: 100%; }
  .top-in:has(.user) .brand-service { display: none; }
  .user { gap: .125rem; }
  .user .button { padding-inline: .5rem; }
  .user-name { max-width: 9rem; }
  .frame { --row: 6.125rem; }
  .facts > div { grid-template-columns: 5.5rem minmax(0, 1fr); }
  .table, .table tbody, .table tr, .table th, .table td { display: block; }
  .table caption { display: block; }
  .table thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .table tr { padding: .875rem 0; border-top: 1px solid var(--line); }
  .table tbody :is(th, td) { padding: .1875rem 0; border: 0; }
  .table td { display: flex; justify-content: space-between; align-items: center; gap: 1rem; text-align: right; }
  .table td::before { content: attr(data-label); color: var(--muted); text-align: left; }
  .table td[data-label=""]::before { display: none; }
}
@media (forced-colors: active) {
  .button, .choice, .badge, .card, .slip-body, .slip-stub, .scope-icon, .step-sign, .monogram, .notice { border: 1px solid CanvasText; }
  .choice:has(:checked) { border: 3px solid Highlight; }
}
@media (prefers-reduced-motion: reduce) {
  *, *::before, *::after { transition: none !important; animation: none !important; scroll-behavior: auto !important; }
}
@media print {
  :root { color-scheme: light; --ground: #fff; --surface: #fff; --raised: #fff; --ink: #000; --muted: #333; --line: #999; --accent: #000; --on-accent: #fff; --accent-soft: #fff; --amber: #000; --amber-soft: #fff; --danger: #000; --danger-soft: #fff; --info-soft: #fff; --shadow: none; }
  .nav, .skip, .button, .user form { display: none; }
  .main, .top-in, .foot { max-width: none; padding: 0; }
  .main { padding-block: 1.5rem; }
  .badge, .notice { box-shadow: inset 0 0 0 1px #999; }
  .step-sign { print-color-adjust: exact; }
  .card, .slip { border: 1px solid #999; border-radius: .5rem; filter: none; }
  .slip-body, .slip-stub { mask: none; }
  .split-intro { position: static; }
  .card, .step, .choice, .scope, tr { break-inside: avoid; }
  .main a[href^=http]::after { content: " (" attr(href) ")"; font-size: .85em; }
  .step-sign, .monogram { background: #fff; color: #000; border: 1px solid #000; }
}
`
