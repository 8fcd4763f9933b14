/** What a person does with a browser: follow links, fill forms, keep cookies. Nothing of JavaScript. */
export class Visitor {
  readonly #cookies = new Map<string, Map<string, string>>()

  /** @param every what each of the requests is sent with: headers, a signal that ends it */
  constructor(private readonly every: () => RequestInit = () => ({})) {}

  /** Requests a URL and follows redirects until a page, or until the redirect leaves for `stopAt`. */
  async open(url: string, stopAt?: string): Promise<Page> {
    return this.#request(url, {}, stopAt)
  }

  /** Sends a form of a page with its hidden fields, and what the person typed and chose. */
  async submit(page: Page, form: Form, entries: Record<string, string>, stopAt?: string): Promise<Page> {
    const body = new URLSearchParams(form.fields)
    for (const [name, value] of Object.entries(entries)) body.set(name, value)
    const url = new URL(form.action || page.url, page.url)
    return this.#request(url.href, { method: 'POST', body, headers: { origin: url.origin } }, stopAt)
  }

  async #request(url: string, init: RequestInit, stopAt?: string): Promise<Page> {
    for (let hop = 0, next = url, request = init; hop < 10; hop++) {
      const { host } = new URL(next)
      const every = this.every()
      const response = await fetch(next, {
        ...every,
        ...request,
        redirect: 'manual',
        headers: { ...every.headers, ...request.headers, cookie: this.#cookieHeader(host) },
      })
      this.#keepCookies(host, response)
      const location = response.headers.get('location')
      if (location === null) return { url: next, status: response.status, html: await response.text() }
      await response.arrayBuffer()
      next = new URL(location, next).href
      if (stopAt !== undefined && next.startsWith(stopAt))
        return { url: next, status: response.status, html: '' }
      request = {}
    }
    throw new Error(`${url} redirects in a circle`)
  }

  #cookieHeader(host: string): string {
    return [...(this.#cookies.get(host) ?? [])].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  #keepCookies(host: string, response: Response): void {
    const jar = this.#cookies.get(host) ?? new Map<string, string>()
    this.#cookies.set(host, jar)
    for (const cookie of response.headers.getSetCookie()) {
      const [pair = ''] = cookie.split(';')
      const equals = pair.indexOf('=')
      jar.set(pair.slice(0, equals), pair.slice(equals + 1))
    }
  }
}

export interface Page {
  readonly url: string
  readonly status: number
  readonly html: string
}

export interface Form {
  readonly action: string
  /** Hidden fields and what is chosen already. */
  readonly fields: Record<string, string>
}

/** The forms of a page whose action matches. @throws Error with the page's headline when there is none */
export function formOf(page: Page, action: RegExp): Form {
  for (const [, attributes = '', inner = ''] of page.html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)) {
    const target = attribute(attributes, 'action') ?? ''
    if (action.test(target)) return { action: target, fields: fieldsOf(inner) }
  }
  const headline = /<h1[^>]*>([\s\S]*?)<\/h1>/
    .exec(page.html)?.[1]
    ?.replace(/<[^>]+>/g, '')
    .trim()
  throw new Error(
    `${page.url} (${page.status}) shows no form for ${action}: “${headline ?? page.html.slice(0, 200)}”`,
  )
}

function fieldsOf(form: string): Record<string, string> {
  const fields: Record<string, string> = {}
  for (const [, attributes = ''] of form.matchAll(/<input\b([^>]*)>/g)) {
    const name = attribute(attributes, 'name')
    const type = attribute(attributes, 'type')
    const chosen = (type !== 'radio' && type !== 'checkbox') || /\schecked\b/.test(attributes)
    if (name !== undefined && chosen) fields[name] = attribute(attributes, 'value') ?? ''
  }
  return fields
}

function attribute(attributes: string, name: string): string | undefined {
  const found = new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(attributes)?.[1]
  return found?.replace(/&(amp|lt|gt|quot|#39|#x27);/g, (_, entity: string) => entities[entity] ?? '')
}

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", '#x27': "'" }
