import { type Html, html } from '../html.js'

/** `client` and `api` are rounded squares, `organization` is a square, `person` a circle. */
export type MonogramKind = 'client' | 'api' | 'organization' | 'person'

/** Initials in a colour that the same name always gets; hidden from assistive technology, as the name stands beside it. */
export function monogram({
  name,
  kind,
  size = 'normal',
}: {
  name: string
  kind: MonogramKind
  size?: 'small' | 'normal' | 'large'
}): Html {
  return html`<span class="monogram monogram-${kind} monogram-${size} hue-${hue(name)}" aria-hidden="true">${initials(name)}</span>`
}

const letters = new Intl.Segmenter('en', { granularity: 'grapheme' })

function initials(name: string): string {
  return name
    .trim()
    .split(/\s+/)
    .slice(0, 2)
    .map(word => [...letters.segment(word)][0]?.segment ?? '')
    .join('')
    .toUpperCase()
}

function hue(name: string): number {
  let sum = 7
  for (const character of name) sum = (sum * 33 + (character.codePointAt(0) ?? 0)) % 99_991
  return (sum >> 3) % 6
}
