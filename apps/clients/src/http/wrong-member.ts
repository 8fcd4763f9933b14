import { Problem } from '@grantlog/platform'

/** A refusal that points at a member of the body. @param pointer RFC 6901 */
export function wrong(pointer: string, detail: string): Problem {
  return new Problem(400, 'Bad Request', `${pointer}: ${detail}`, { errors: [{ pointer, detail }] })
}

/** @throws Problem 400 when a value stands there twice */
export function unique<T>(pointer: string, values: readonly T[]): T[] {
  if (new Set(values).size !== values.length) throw wrong(pointer, 'names something twice')
  return [...values]
}
