import { invalidRequest } from './errors.js'
import { decodeFormComponent } from './form-component.js'

/** The parameters of one request: at most one value each, except those of {@link REPEATABLE}. */
export class Parameters {
  readonly #values: ReadonlyMap<string, readonly string[]>

  constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values
  }

  /** The value, or undefined when omitted. @throws OAuthError `invalid_request` when a repeatable one was repeated: use `all` */
  get(name: string): string | undefined {
    const [value, ...more] = this.all(name)
    if (more.length > 0) throw repeated(name)
    return value
  }

  /** The value. @throws OAuthError `invalid_request` when it is omitted */
  require(name: string): string {
    const value = this.get(name)
    if (value === undefined) throw invalidRequest(`Parameter '${name}' is missing.`)
    return value
  }

  /** Every value, in the request's order. */
  all(name: string): readonly string[] {
    return this.#values.get(name) ?? []
  }

  names(): string[] {
    return [...this.#values.keys()]
  }
}

const MAX_LENGTH = 32 * 1024
const MAX_PARAMETERS = 64
const MAX_NAME_LENGTH = 128

// RFC 8707 §2: "Multiple resource parameters MAY be used"; RFC 8693 §2.1 says so of audience too.
const REPEATABLE: ReadonlySet<string> = new Set(['resource', 'audience'])

/**
 * Reads a query or a body in `application/x-www-form-urlencoded`, strictly: no guess about malformed, repeated or oversized
 * input. At most 32 kB and 64 parameters.
 *
 * @param encoded without a leading `?`
 * @param options.maxValueLength longest decoded value in UTF-16 units, default 4096 (a sealed code may need 8192)
 * @throws OAuthError `invalid_request`, naming the parameter
 * @see RFC 6749 §3.1, §3.2, Appendix B
 */
export function parseParameters(encoded: string, options: { maxValueLength?: number } = {}): Parameters {
  const { maxValueLength = 4096 } = options
  if (encoded.length > MAX_LENGTH) throw invalidRequest('The parameters are longer than 32 kB.')
  // RFC 6749 Appendix B: everything outside ASCII is percent-encoded UTF-8.
  if (!/^[\x20-\x7e]*$/.test(encoded)) throw invalidRequest('The parameters are not form-urlencoded.')

  const pairs = encoded.split('&').filter(pair => pair !== '')
  if (pairs.length > MAX_PARAMETERS) throw invalidRequest(`There are more than ${MAX_PARAMETERS} parameters.`)

  const values = new Map<string, string[]>()
  for (const pair of pairs) {
    const { name, value } = parsePair(pair)
    // RFC 6749 §3.1, §3.2: "Parameters sent without a value MUST be treated as if they were omitted".
    if (value === '') continue
    if (value.length > maxValueLength) {
      throw invalidRequest(`Parameter '${name}' is longer than ${maxValueLength} characters.`)
    }
    const earlier = values.get(name)
    // RFC 6749 §3.1, §3.2: "Request and response parameters MUST NOT be included more than once".
    if (earlier && !REPEATABLE.has(name)) throw repeated(name)
    if (earlier) earlier.push(value)
    else values.set(name, [value])
  }
  return new Parameters(values)
}

function parsePair(pair: string): { name: string; value: string } {
  const equals = pair.indexOf('=')
  const name = decodeFormComponent(equals < 0 ? pair : pair.slice(0, equals))
  if (name === undefined) throw invalidRequest("A parameter's name is not percent-encoded UTF-8.")
  if (name === '') throw invalidRequest('A parameter has no name.')
  if (name.length > MAX_NAME_LENGTH) {
    throw invalidRequest(`A parameter's name is longer than ${MAX_NAME_LENGTH} characters.`)
  }
  if (hasControlCharacter(name)) throw invalidRequest("A parameter's name contains a control character.")

  const value = decodeFormComponent(equals < 0 ? '' : pair.slice(equals + 1))
  if (value === undefined) throw invalidRequest(`Parameter '${name}' is not percent-encoded UTF-8.`)
  if (hasControlCharacter(value)) throw invalidRequest(`Parameter '${name}' contains a control character.`)
  return { name, value }
}

const hasControlCharacter = (text: string): boolean => /\p{Cc}/u.test(text)

const repeated = (name: string) => invalidRequest(`Parameter '${name}' is included more than once.`)
