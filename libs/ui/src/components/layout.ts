import { type Html, type HtmlValue, html } from '../html.js'
import { icon } from '../icons.js'
import { monogram } from './monogram.js'

/** Who asks, and for what: the client's and the API's monograms with an arrow between them. */
export function connection({ client, api }: { client: string; api: string }): Html {
  return html`<div class="connection"><span class="connection-end">${monogram({ name: client, kind: 'client', size: 'large' })}<span class="connection-name">${client}</span></span><span class="connection-line">${icon('arrow')}<span class="hidden">asks for access to</span></span><span class="connection-end">${monogram({ name: api, kind: 'api', size: 'large' })}<span class="connection-name">${api}</span></span></div>`
}

/** A slip to sign: what is agreed to above the perforation, the decision below it. */
export function slip({ body, decision }: { body: HtmlValue; decision: HtmlValue }): Html {
  return html`<div class="slip"><div class="slip-body">${body}</div><div class="slip-stub">${decision}</div></div>`
}

/** Two columns on a wide screen: who and why at the left, what to do at the right; one below the other on a phone. */
export function split({ intro, body }: { intro: HtmlValue; body: HtmlValue }): Html {
  return html`<div class="split"><div class="split-intro">${intro}</div><div class="split-body">${body}</div></div>`
}

/** The pages' plain column. `wide` for tables. */
export function column(body: HtmlValue, { width = 'wide' }: { width?: 'narrow' | 'wide' } = {}): Html {
  return html`<div class="stack ${width}">${body}</div>`
}

/** A part of a slip or a card with its own small heading. */
export function part({ title, body }: { title: string; body: HtmlValue }): Html {
  return html`<section class="part"><h2 class="legend">${title}</h2>${body}</section>`
}

/** Parts side by side where there is room for two. */
export function columns(...parts: readonly HtmlValue[]): Html {
  return html`<div class="columns">${parts}</div>`
}
