import { attributes, type Html, type HtmlValue, html } from '../html.js'
import { icon } from '../icons.js'

export interface TimelineStep {
  label: string
  status: 'ok' | 'fail' | 'pending'
  /** Duration in milliseconds. Where all steps have one, a bar shows each step's share of the whole. */
  ms?: number
  /** What was sent or answered. */
  detail?: HtmlValue
}

/** Steps in the order in which they happened, and how each ended. */
export function timeline(steps: readonly TimelineStep[]): Html {
  const total = steps.reduce((sum, { ms = 0 }) => sum + ms, 0)
  const measured = total > 0 && steps.every(({ ms }) => ms !== undefined)
  let start = 0
  return html`<ol class="timeline">${steps.map(({ label, status, ms, detail }) => {
    const bar = measured && share(start / total, (ms ?? 0) / total)
    start += ms ?? 0
    return html`<li class="step step-${status}"><span class="step-sign">${icon(signs[status])}</span><div class="step-body"><p class="step-head"><span class="step-label">${label}<span class="hidden"> (${words[status]})</span></span>${ms !== undefined && html`<span class="step-ms">${round(ms)} ms</span>`}</p>${bar}${detail !== undefined && html`<div class="step-detail">${detail}</div>`}</div></li>`
  })}</ol>`
}

const signs = { ok: 'check', fail: 'cross', pending: 'clock' } as const
const words = { ok: 'succeeded', fail: 'failed', pending: 'not yet done' } as const

// SVG geometry, because the pages' CSP forbids style attributes.
function share(start: number, length: number): Html {
  const bar = attributes({
    x: round(start * 100),
    width: Math.max(0.6, round(length * 100)),
    height: 4,
    rx: 0.4,
  })
  return html`<svg class="step-bar" viewBox="0 0 100 4" width="100%" height="4" preserveAspectRatio="none" aria-hidden="true" focusable="false"><rect class="step-bar-ground" width="100" height="4"></rect><rect class="step-bar-part"${bar}></rect></svg>`
}

function round(n: number): number {
  return n < 10 ? Math.round(n * 10) / 10 : Math.round(n)
}
