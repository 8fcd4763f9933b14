import type { Connection, Step } from '../flow/connection.js'
import { captionOf, cells, type Invoice } from '../flow/invoice.js'

/** Shows what is known now. Markup is the server's; only text is filled in, so no answer can become markup. */
export function show({ steps, token, owner, invoices }: Connection): void {
  find('#connection', HTMLElement).hidden = false
  find('.timeline', HTMLElement).replaceChildren(...steps.map(stepOf))
  find('#token', HTMLElement).hidden = token === undefined
  if (token) {
    fill('[data-fill="scope"]', token.scope)
    fill('[data-fill="expires"]', token.expires)
    fill('#token .code code', token.claims)
  }
  find('#invoices', HTMLElement).hidden = invoices.length === 0 && !owner
  find('#invoices .card', HTMLElement).replaceChildren(tableOf(captionOf(owner), invoices))
  const last = steps.at(-1)
  if (last?.status === 'fail') showProblem(`${last.label}: ${last.code}. ${last.words}`)
  else find('#problem', HTMLElement).hidden = true
}

export function showProblem(sentence: string): void {
  fill('[data-fill="problem"]', sentence)
  find('#problem', HTMLElement).hidden = false
}

/** @throws Error when the page lacks it */
export function find<E extends HTMLElement>(
  selector: string,
  kind: new () => E,
  within: ParentNode = document,
): E {
  const element = within.querySelector(selector)
  if (!(element instanceof kind)) throw new Error(`The page has no ${selector}`)
  return element
}

function fill(selector: string, text: string, within?: ParentNode): void {
  find(selector, HTMLElement, within).textContent = text
}

function stepOf({ label, status, code, words }: Step): HTMLElement {
  const step = copyOf(`step-${status}`, '.step')
  find('.step-label', HTMLElement, step).prepend(label)
  fill('.step-detail code', code, step)
  fill('.step-detail span', words, step)
  return step
}

function tableOf(caption: string, invoices: readonly Invoice[]): HTMLElement {
  const table = copyOf('table', '.table')
  fill('caption', caption, table)
  const blank = find('tbody tr', HTMLElement, table)
  blank.replaceWith(
    ...invoices.map(invoice => {
      const row = document.importNode(blank, true)
      const texts = cells(invoice)
      for (const [i, cell] of [...row.querySelectorAll('th, td')].entries()) {
        // the innermost element is where the text stands: a badge, a div or the cell
        const place = [cell, ...cell.querySelectorAll('*')].at(-1)
        place?.replaceChildren(texts[i] ?? '')
      }
      return row
    }),
  )
  return table
}

function copyOf(template: string, selector: string): HTMLElement {
  const { content } = find(`#${template}`, HTMLTemplateElement)
  return find(selector, HTMLElement, document.importNode(content, true))
}
