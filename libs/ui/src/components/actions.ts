import { attributes, type Html, type HtmlValue, html } from '../html.js'

/** `primary`: the one thing this page is for. `danger`: ends or deletes something. `quiet`: present, not asking for attention. */
export type ActionKind = 'primary' | 'secondary' | 'danger' | 'quiet'

interface ActionLook {
  label: string
  kind?: ActionKind
  size?: 'normal' | 'small'
  /** Words that only assistive technology reads after the label, to tell rows apart ("Revoke *Ledgerly*"). */
  context?: string
}

export interface ButtonOptions extends ActionLook {
  /** Name and value that the form sends when this button submits it. */
  name?: string
  value?: string
  type?: 'submit' | 'button'
  id?: string
}

export function button({ name, value, type = 'submit', id, ...look }: ButtonOptions): Html {
  return html`<button${attributes({ class: classOf(look), type, name, value, id })}>${words(look)}</button>`
}

/** A link that looks like a button: it only takes the person somewhere, it changes nothing. */
export function linkButton({ href, ...look }: ActionLook & { href: string }): Html {
  return html`<a${attributes({ class: classOf(look), href })}>${words(look)}</a>`
}

/** Buttons side by side, all of one width, so that none is easier to reach than another. */
export function equalActions(...buttons: readonly Html[]): Html {
  return html`<div class="actions-equal">${buttons}</div>`
}

/** Buttons in a row, as wide as their words; they wrap. */
export function actions(...buttons: readonly HtmlValue[]): Html {
  return html`<div class="actions">${buttons}</div>`
}

export interface FormOptions {
  action: string
  /** `post` by default. */
  method?: 'get' | 'post'
  /** Sent as the hidden field `csrf`. */
  csrf?: string
  /** Further hidden fields. */
  hidden?: Readonly<Record<string, string>>
  /** Accessible name, where a page has several forms. */
  label?: string
}

export function form(
  { action, method = 'post', csrf, hidden = {}, label }: FormOptions,
  body: HtmlValue,
): Html {
  const fields = Object.entries(csrf === undefined ? hidden : { ...hidden, csrf })
  return html`<form${attributes({ class: 'form', action, method, 'aria-label': label })}>${fields.map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )}${body}</form>`
}

function classOf({ kind = 'secondary', size = 'normal' }: ActionLook): string {
  return `button button-${kind}${size === 'small' ? ' button-small' : ''}`
}

function words({ label, context }: ActionLook): Html {
  return html`${label}${context !== undefined && html`<span class="hidden"> ${context}</span>`}`
}
