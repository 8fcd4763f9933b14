import { createHash } from 'node:crypto'

interface Folding {
  readonly initial: unknown
  readonly evolve: unknown
}

/** What is stored beside a state: what folded it, and the version of its stream that it is of. */
export function stateTag(decider: Folding, version: number): string {
  return `${codeOf(decider)}@${version}`
}

/**
 * The version that a stored state is of; 0, before all events, when other code folded it: a new build's state is never mistaken for an old
 * one's.
 * @param version the stream's: builds that stored a state with each append did not say which it was of
 */
export function versionOfState(decider: Folding, stateTag: string, version: number): number {
  const [code, of = version] = stateTag.split('@')
  return code === codeOf(decider) ? Number(of) : 0
}

/** The version that the tag of a row `s` of `streams` names, in SQL; null where it names none. */
export const versionInTag = `nullif(split_part(s.state_tag, '@', 2), '')::int`

const codes = new WeakMap<Folding, string>()

/** A hash of the code that folds. */
function codeOf(decider: Folding): string {
  let hash = codes.get(decider)
  if (hash === undefined) {
    const code = `${JSON.stringify(decider.initial)}\n${String(decider.evolve)}`
    hash = createHash('sha256').update(code).digest('base64url').slice(0, 16)
    codes.set(decider, hash)
  }
  return hash
}
