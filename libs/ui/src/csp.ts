import { styleHash } from './stylesheet.js'

export interface PolicyOptions {
  /**
   * Where a form's POST may end besides this origin: redirect URIs or origins. Chromium applies `form-action` to the
   * redirects that follow a POST, so a consent page must list its client's redirect URI here.
   */
  formAction?: readonly string[]
  /** `'self'` for a page with a script of its own; none by default. */
  script?: 'self' | 'none'
  /** `'self'` for a page that shows a `frame()`; none by default. */
  frames?: 'self' | 'none'
  /** `'self'` for a `fragment()`, which a page of this origin shows in a frame; nobody by default. */
  framedBy?: 'self' | 'none'
  /** Origins that the page's script may call; `'self'` is allowed to be listed. */
  connect?: readonly string[]
}

/**
 * The `Content-Security-Policy` header of a page made by `page()` or `fragment()`.
 *
 * @throws TypeError when a listed URI has no origin or scheme that may stand in a policy
 */
export function contentSecurityPolicy({
  formAction = [],
  script = 'none',
  connect = [],
  frames = 'none',
  framedBy = 'none',
}: PolicyOptions = {}) {
  return [
    "default-src 'none'",
    `style-src '${styleHash}'`,
    // The favicon is the one image, and part of the document.
    'img-src data:',
    script === 'self' && "script-src 'self'",
    connect.length > 0 && `connect-src ${sources(connect)}`,
    frames === 'self' && "frame-src 'self'",
    `form-action ${sources(["'self'", ...formAction])}`,
    `frame-ancestors '${framedBy}'`,
    "base-uri 'none'",
  ]
    .filter(directive => directive !== false)
    .join('; ')
}

function sources(uris: readonly string[]): string {
  return [...new Set(uris.map(sourceOf))].join(' ')
}

function sourceOf(uri: string): string {
  if (uri === "'self'" || uri === 'self') return "'self'"
  const url = URL.parse(uri)
  // CSP3 §2.3.1 has no IPv6 host-source, and a private-use scheme (RFC 8252 §7.1) has no origin: only the scheme remains.
  const source =
    url &&
    !forbidden.has(url.protocol) &&
    (url.origin === 'null' || url.hostname.startsWith('[') ? url.protocol : url.origin)
  // The URL parser lets `;`, `,` and `*` stand in a host, where they would end a directive or widen it.
  if (!source || !/^[a-z][a-z\d+.-]*:(\/\/[\w.-]+(:\d+)?)?$/.test(source)) {
    throw new TypeError(`"${uri}" can not stand in a Content-Security-Policy`)
  }
  return source
}

const forbidden = new Set(['javascript:', 'vbscript:', 'data:', 'blob:', 'about:', 'file:', 'filesystem:'])
