import { type Html, html, raw } from './html.js'

export type IconName = keyof typeof paths

/** A 20 px line icon in the colour of the text around it, hidden from assistive technology: words stand beside it. */
export function icon(name: IconName): Html {
  return html`<svg class="icon" viewBox="0 0 20 20" width="20" height="20" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">${paths[name]}</svg>`
}

/** The mark: a key whose bits are lines of a log. */
export function mark(): Html {
  return html`<svg class="mark" viewBox="0 0 32 32" width="32" height="32" aria-hidden="true" focusable="false">${markPaths}</svg>`
}

// Constants of this file: no input reaches them.
const markPaths = raw(
  '<rect class="mark-ground" width="32" height="32" rx="9"/><g class="mark-line" fill="none" stroke-width="2.8" stroke-linecap="round"><circle cx="11.5" cy="9.5" r="4"/><path d="M11.5 13.5V25M11.5 19h9M11.5 25h6"/></g>',
)

/** The mark as a `data:` URL for the favicon; it follows the colour scheme of the browser's tabs. */
export const favicon = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="9" fill="#0b5a45"/><g fill="none" stroke="#fff" stroke-width="2.8" stroke-linecap="round"><circle cx="11.5" cy="9.5" r="4"/><path d="M11.5 13.5V25M11.5 19h9M11.5 25h6"/></g></svg>',
)}`

// Constants of this file: no input reaches them.
const paths = {
  read: raw(
    '<path d="M1.8 10S4.6 4.6 10 4.6 18.2 10 18.2 10 15.4 15.4 10 15.4 1.8 10 1.8 10Z"/><circle cx="10" cy="10" r="2.4"/>',
  ),
  write: raw('<path d="m12.7 4.1 3.2 3.2L7 16.2l-4 .8.8-4 8.9-8.9ZM10.9 5.9l3.2 3.2"/>'),
  check: raw('<path d="m4.5 10.5 3.7 3.7 7.3-8.2"/>'),
  cross: raw('<path d="m5.5 5.5 9 9m0-9-9 9"/>'),
  clock: raw('<circle cx="10" cy="10" r="7.4"/><path d="M10 5.8V10l2.8 2"/>'),
  info: raw('<circle cx="10" cy="10" r="7.4"/><path d="M10 9.4v4.2M10 6.5v.1"/>'),
  alert: raw('<path d="M10 3 1.9 16.6h16.2L10 3Z"/><path d="M10 8v3.6m0 2.4v.1"/>'),
  arrow: raw('<path d="M3.5 10h13m-4.6-4.6L16.5 10l-4.6 4.6"/>'),
  leave: raw(
    '<path d="M11.5 3.5h5v5M16.2 3.8 9 11M14.5 12v3a1.5 1.5 0 0 1-1.5 1.5H5A1.5 1.5 0 0 1 3.5 15V7A1.5 1.5 0 0 1 5 5.5h3"/>',
  ),
} as const
