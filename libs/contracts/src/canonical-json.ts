/**
 * JSON in canonical form (RFC 8785): members sorted by UTF-16 code units, no white space, ECMAScript numbers and strings.
 * @throws TypeError for what JSON cannot say (NaN, Infinity, undefined, a Date, a function, a lone surrogate).
 */
export function canonicalJson(value: unknown): string {
  // what comes from a store or the wire mostly is in order already, and then the engine writes it, several times as fast
  if (isInOrder(value)) {
    const text = JSON.stringify(value)
    if (!text.includes('\\ud')) return text // else there may be a lone surrogate
  }
  return written(value)
}

/** Whether `JSON.stringify` writes the canonical form of it, if its strings are well-formed. */
function isInOrder(value: unknown): boolean {
  if (typeof value === 'string' || value === null || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object') return false
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) if (!isInOrder(value[index])) return false
    return true
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return false
  let last = ''
  for (const name of Object.keys(value)) {
    if (name < last) return false
    last = name
    const member: unknown = Reflect.get(value, name)
    if (member !== undefined && !isInOrder(member)) return false
  }
  return true
}

function written(value: unknown): string {
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
    let members = ''
    for (const name of Object.keys(value as object).sort()) {
      const member: unknown = Reflect.get(value as object, name)
      if (member === undefined) continue
      members += `${members === '' ? '' : ','}${written(name)}:${canonicalJson(member)}`
    }
    return `{${members}}`
  }
  throw new TypeError(`${Object.prototype.toString.call(value)} has no JSON form`)
}
