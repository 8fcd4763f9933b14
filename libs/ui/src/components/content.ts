import { attributes, type Html, type HtmlValue, html } from '../html.js'
import { type IconName, icon } from '../icons.js'

/** The head of a page: a line above it, the one `h1`, and a sentence that says what the page is for. */
export function heading({ title, kicker, lede }: { title: string; kicker?: string; lede?: HtmlValue }): Html {
  return html`<div class="heading">${kicker !== undefined && html`<p class="kicker">${kicker}</p>`}<h1>${title}</h1>${lede !== undefined && html`<p class="lede">${lede}</p>`}</div>`
}

export function card({
  title,
  aside,
  body,
  level = 2,
}: {
  title?: HtmlValue
  aside?: HtmlValue
  body: HtmlValue
  level?: 2 | 3
}): Html {
  const name =
    level === 2 ? html`<h2 class="card-title">${title}</h2>` : html`<h3 class="card-title">${title}</h3>`
  const head = title !== undefined && html`<div class="card-head">${name}${aside}</div>`
  return html`<section class="card">${head}${body}</section>`
}

/** A message about what just happened or what to know. `danger` interrupts a screen reader (`role=alert`). */
export function notice({
  kind,
  title,
  body,
}: {
  kind: 'info' | 'success' | 'danger'
  title?: string
  body: HtmlValue
}): Html {
  const sign = ({ info: 'info', success: 'check', danger: 'alert' } as const)[kind]
  return html`<div class="notice notice-${kind}" role="${kind === 'danger' ? 'alert' : 'status'}">${icon(sign)}<div>${title !== undefined && html`<p class="notice-title">${title}</p>`}<p>${body}</p></div></div>`
}

export function definitionList(items: readonly (readonly [term: string, description: HtmlValue])[]): Html {
  return html`<dl class="facts">${items.map(([term, description]) => html`<div><dt>${term}</dt><dd>${description}</dd></div>`)}</dl>`
}

export interface TableOptions {
  /** What the table shows; read aloud first, and visible unless `captionHidden`. */
  caption: string
  captionHidden?: boolean
  columns: readonly (string | { label: string; align: 'end' })[]
  /** One array per row, as long as `columns`; the first cell names its row. */
  rows: readonly (readonly HtmlValue[])[]
}

/** A table that becomes one card per row on a phone. The roles keep it a table there for screen readers. */
export function table({ caption, captionHidden = false, columns, rows }: TableOptions): Html {
  const heads = columns.map(column =>
    typeof column === 'string' ? { label: column, align: 'start' } : column,
  )
  return html`<table class="table" role="table"><caption${attributes({ class: captionHidden ? 'hidden' : undefined })}>${caption}</caption><thead role="rowgroup"><tr role="row">${heads.map(
    ({ label, align }) => html`<th scope="col" role="columnheader" class="cell-${align}">${label}</th>`,
  )}</tr></thead><tbody role="rowgroup">${rows.map(
    cells =>
      html`<tr role="row">${cells.map((cell, i) => {
        const { label, align } = heads[i] ?? { label: '', align: 'start' }
        return i === 0
          ? html`<th scope="row" role="rowheader">${cell}</th>`
          : html`<td role="cell" class="cell-${align}" data-label="${label}"><div>${cell}</div></td>`
      })}</tr>`,
  )}</tbody></table>`
}

export type BadgeKind = 'neutral' | 'success' | 'warning' | 'danger' | 'info'

export function badge({ label, kind = 'neutral' }: { label: string; kind?: BadgeKind }): Html {
  return html`<span class="badge badge-${kind}">${label}</span>`
}

export function emptyState({ title, body, action }: { title: string; body: HtmlValue; action?: Html }): Html {
  return html`<div class="empty"><svg class="empty-art" viewBox="0 0 96 64" width="96" height="64" aria-hidden="true" focusable="false"><circle cx="18" cy="14" r="8"/><path d="M18 22v38M18 32h52M18 46h68M18 60h34"/></svg><p class="empty-title">${title}</p><p class="muted">${body}</p>${action}</div>`
}

/**
 * A part of a page that is read anew by itself, a `fragment()`, while nothing else on the page is disturbed. No script measures it: it is
 * as high as so many facts of a `definitionList()` are, six at most, and scrolls beyond.
 */
export function frame({ src, title, facts }: { src: string; title: string; facts: number }): Html {
  const rows = Math.min(Math.max(Math.ceil(facts), 1), 6)
  return html`<iframe class="frame frame-${rows}" src="${src}" title="${title}" loading="lazy"></iframe>`
}

/** Text in fixed width. It scrolls sideways and can be reached by keyboard, so it needs a name. */
export function codeBlock({ label, code }: { label: string; code: string }): Html {
  return html`<figure class="code"><figcaption>${label}</figcaption><pre tabindex="0" role="region" aria-label="${label}"><code>${code}</code></pre></figure>`
}

/** Details that most people never open. */
export function disclosure({ summary, body }: { summary: string; body: HtmlValue }): Html {
  return html`<details class="more"><summary>${summary}</summary><div class="more-body">${body}</div></details>`
}

/** A moment in words, in UTC, with its exact value for machines. */
export function moment(
  at: Date,
  { lang = 'en-GB', withTime = false }: { lang?: string; withTime?: boolean } = {},
): Html {
  const words = new Intl.DateTimeFormat(lang, {
    dateStyle: 'long',
    timeZone: 'UTC',
    ...(withTime && { timeStyle: 'short' }),
  }).format(at)
  return html`<time datetime="${at.toISOString()}">${words}${withTime && ' UTC'}</time>`
}

/** A line of text led by an icon. */
export function iconLine(name: IconName, body: HtmlValue): Html {
  return html`<p class="icon-line">${icon(name)}<span>${body}</span></p>`
}
