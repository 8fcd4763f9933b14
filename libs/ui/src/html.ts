/** What `html` accepts between `${` and `}`. `undefined`, `null` and `false` print nothing; arrays print their items. */
export type HtmlValue = Html | string | number | bigint | undefined | null | false | readonly HtmlValue[]

/** Trusted markup. Only `html`, `attributes` and `raw` make it, so a plain string is always escaped. */
export class Html {
  readonly #markup: string

  constructor(markup: string) {
    this.#markup = markup
  }

  toString(): string {
    return this.#markup
  }
}

/**
 * Markup with every value escaped for the place where it stands: text, a quoted attribute, or a URL attribute (`href`,
 * `src`, `action`, `formaction`), whose value also passes `safeUrl`.
 *
 * @throws TypeError for a place where no escaping is safe or the pages' CSP blocks: an unquoted attribute, an `on…`,
 *   `style` or `srcdoc` attribute, the inside of `<script>` or `<style>`; and for a value that is no `HtmlValue`.
 */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  const places = placesOf(strings)
  let markup = strings[0] ?? ''
  values.forEach((value, i) => {
    markup += print(value, places[i] ?? 'text') + (strings[i + 1] ?? '')
  })
  return new Html(markup)
}

/** Marks a string as trusted markup. Every use must say, beside it, why no input of a person can reach it. */
export function raw(markup: string): Html {
  return new Html(markup)
}

/**
 * Attributes for the inside of a tag, each with a leading space. `true` prints the bare name; `undefined` and `false`
 * print nothing. URL attributes pass `safeUrl`.
 */
export function attributes(named: Readonly<Record<string, string | number | boolean | undefined>>): Html {
  let markup = ''
  for (const [name, value] of Object.entries(named)) {
    if (!/^[a-z][a-z-]*$/.test(name)) throw new TypeError(`"${name}" is not an attribute name`)
    const place = attributePlace(name, true)
    if (value === undefined || value === false) continue
    markup += value === true ? ` ${name}` : ` ${name}="${print(value, place)}"`
  }
  return new Html(markup)
}

/**
 * The URL itself if a browser would read it as http, https or relative to the page; `#blocked` otherwise. The WHATWG
 * parser decides, as in the browser, so `java\nscript:` does not pass.
 */
export function safeUrl(url: string): string {
  const parsed = URL.parse(url, 'https://relative.invalid')
  return parsed?.protocol === 'https:' || parsed?.protocol === 'http:' ? url : '#blocked'
}

type Place = 'text' | 'tag' | 'attribute' | 'url'

const urlAttributes = new Set(['href', 'src', 'action', 'formaction'])
const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function print(value: HtmlValue, place: Place): string {
  if (value === undefined || value === null || value === false) return ''
  if (Array.isArray(value)) return value.map((item: HtmlValue) => print(item, place)).join('')
  if (value instanceof Html) {
    if (place === 'text' || place === 'tag') return value.toString()
    throw new TypeError('Markup can not stand inside an attribute: pass a string')
  }
  if (place === 'tag') throw new TypeError('Inside a tag only attributes() may stand')
  if (typeof value === 'string') return escapeText(place === 'url' ? safeUrl(value) : value)
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  throw new TypeError(`html can not print a value of type ${typeof value}`)
}

function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, character => entities[character] ?? '')
}

function attributePlace(name: string, valueStart: boolean): Place {
  if (/^on|^style$|^srcdoc$/.test(name)) throw new TypeError(`The attribute "${name}" can not take a value`)
  return valueStart && urlAttributes.has(name) ? 'url' : 'attribute'
}

const known = new WeakMap<TemplateStringsArray, readonly Place[]>()

function placesOf(strings: TemplateStringsArray): readonly Place[] {
  const cached = known.get(strings)
  if (cached) return cached
  const places = scan(strings.slice(0, -1))
  known.set(strings, places)
  return places
}

/** Reads a template's literal parts as a browser would and tells where each value stands. */
function scan(parts: readonly string[]): readonly Place[] {
  let quote = ''
  let inTag = false
  let tag = ''
  let word = ''
  let valueStart = false
  return parts.map(part => {
    for (const c of part) {
      if (quote) {
        valueStart = false
        if (c === quote) quote = word = ''
      } else if (!inTag) {
        if (c === '<') {
          inTag = true
          tag = word = ''
        }
      } else if (c === '>') inTag = false
      else if (c === '"' || c === "'") {
        quote = c
        valueStart = true
      } else {
        tag += c
        word = /\s/.test(c) ? '' : word + c
      }
    }
    if (quote) return attributePlace(word.replace(/=$/, '').toLowerCase(), valueStart)
    if (inTag) {
      if (/=$/.test(word)) throw new TypeError(`Quote the value of the attribute ${word}`)
      return 'tag'
    }
    if (/^(script|style)\b/i.test(tag)) throw new TypeError(`No value may stand inside <${tag.trim()}>`)
    return 'text'
  })
}
