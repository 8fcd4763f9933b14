/**
 * JSON in canonical form (RFC 8785): members sorted by UTF-16 code units, no white space, ECMAScript numbers and strings.
 * @throws TypeError for what JSON cannot say (NaN, Infinity, undefined, a Date, a function, a lone surrogate).
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`${value} has no JSON form`)
    return JSON.stringify(value)
  }
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new TypeError('A string with a lone surrogate has no canonical form') // RFC 8785 §3.2.2.2
    return JSON.stringify(value)
  }
  if (Array.isArray(value)) return `[${Array.from(value, item => canonicalJson(item)).join(',')}]`
  if (Object.prototype.toString.call(value) === '[object Object]') {
    const members = Object.entries(value as object)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
    return `{${members.map(([name, member]) => `${canonicalJson(name)}:${canonicalJson(member)}`).join(',')}}`
  }
  throw new TypeError(`${Object.prototype.toString.call(value)} has no JSON form`)
}
