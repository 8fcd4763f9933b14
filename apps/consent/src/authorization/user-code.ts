import { randomInt } from 'node:crypto'

/** RFC 8628 §6.1: consonants, so that no word comes of it, and neither digits nor what is taken for one. */
const alphabet = 'BCDFGHJKLMNPQRSTVWXZ'
const length = 8

/** What a person types or compares: 34 bits, for a few minutes, and few may be tried. */
export function newUserCode(): string {
  return shown(Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join(''))
}

/**
 * A code as it is shown, whatever it was typed like, or undefined for what is none.
 * @see RFC 8628 §6.1: "strip dashes and other punctuation", "case-insensitive"
 */
export function readUserCode(typed: string): string | undefined {
  const letters = typed.toUpperCase().replace(/[^A-Z0-9]/g, '')
  const all = letters.length === length && [...letters].every(letter => alphabet.includes(letter))
  return all ? shown(letters) : undefined
}

const shown = (letters: string) => `${letters.slice(0, length / 2)}-${letters.slice(length / 2)}`
